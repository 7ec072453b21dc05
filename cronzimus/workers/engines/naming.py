"""How the queue of a worker is called."""

from hashlib import sha256


def queue_for(task_queue: str, worker_id: str, longest: int) -> str:
    """`task_queue.worker_id`; where that is more than `longest` bytes, its beginning and a digest of all of it."""
    name = f"{task_queue}.{worker_id}"
    if len(name.encode()) <= longest:
        return name
    digest = sha256(name.encode()).hexdigest()[:16]
    return name.encode()[: longest - 17].decode(errors="ignore") + "~" + digest
