"""Kubernetes CronJobs as jobs: manifests in YAML or JSON, several to a file, lists too."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cronzimus.importers.report import Fate, Imported, Names, Note, told, trouble_with

_OVERLAP: Final = {"Allow": "allow", "Forbid": "skip", "Replace": "replace"}
_DEFAULT_BACKOFF_LIMIT: Final = 6
# What the controller gives a Job that names no limit of its own for a start that is late.
_LONGEST_GRACE: Final = 31_536_000.0


class Unusable(ValueError):
    """A manifest that cannot become a job, and why."""


def import_kubernetes(manifests: Iterable[tuple[str, Any]]) -> Imported:
    """Every manifest with the place it was read at; what is no CronJob is refused by name."""
    documents: list[dict[str, Any]] = []
    notes: list[Note] = []
    names = Names()
    for place, manifest in _flat(manifests):
        try:
            document, remarks = _document(manifest)
        except Unusable as error:
            notes.append(Note(place, Fate.REFUSED, str(error)))
            continue
        trouble = trouble_with({"id": "a", **document})
        if trouble is not None:
            notes.append(Note(place, Fate.REFUSED, trouble))
            continue
        job_id = names.slug(str(_dig(manifest, "metadata", "name") or "cronjob"))
        documents.append({"id": job_id, **document})
        fate = Fate.PAUSED if document.get("paused") else Fate.JOB
        notes.append(Note(place, fate, told(remarks), job_id))
    return Imported(tuple(documents), tuple(notes))


def _flat(manifests: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """A List holds manifests itself."""
    for place, manifest in manifests:
        items = manifest.get("items") if isinstance(manifest, Mapping) else None
        if isinstance(items, list) and str(manifest.get("kind", "List")).endswith("List"):
            yield from _flat((f"{place} item {number}", item) for number, item in enumerate(items, start=1))
        else:
            yield place, manifest


def _document(manifest: Any) -> tuple[dict[str, Any], list[str]]:
    kind = manifest.get("kind") if isinstance(manifest, Mapping) else None
    if kind != "CronJob":
        raise Unusable(f"a {kind} is no CronJob" if kind else "no manifest: it has no kind")
    spec = _mapping(manifest, "spec")
    schedule = spec.get("schedule")
    if not isinstance(schedule, str):
        raise Unusable("spec.schedule: is required and must be text")
    job, remarks = _mapping(spec, "jobTemplate", "spec"), [
        "runs where the worker is, not in a pod of its image"
    ]
    params = _params(_container(job, remarks), remarks)
    zone, expression = _zone_of(spec, schedule)
    namespace = _dig(manifest, "metadata", "namespace")
    document: dict[str, Any] = {
        "description": f"Kubernetes CronJob {f'{namespace}/' if namespace else ''}{_dig(manifest, 'metadata', 'name')}",
        "kind": "shell",
        "params": params,
        "trigger": {"type": "cron", "expression": expression},
        **({"timezone": zone} if zone else {}),
        "policy": _policy(spec, job),
    }
    if not zone:
        remarks.append("no timeZone: read in UTC, as most controllers do")
    if spec.get("suspend") is True:
        document["paused"] = True
        remarks.append("suspended")
    return document, remarks


def _zone_of(spec: Mapping[str, Any], schedule: str) -> tuple[str | None, str]:
    """`timeZone`, or the prefix that some wrote before that field was there."""
    zone = spec.get("timeZone")
    head, _, rest = schedule.partition(" ")
    name, mark, named = head.partition("=")
    if mark and name in ("CRON_TZ", "TZ"):
        return str(zone or named), rest.strip()
    return (str(zone) if zone else None), schedule


def _policy(spec: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    overlap = spec.get("concurrencyPolicy", "Allow")
    if overlap not in _OVERLAP:
        raise Unusable(f"spec.concurrencyPolicy: {overlap!r} is none of {', '.join(_OVERLAP)}")
    policy: dict[str, Any] = {"overlap": _OVERLAP[overlap]}
    limit = _number(job, "backoffLimit", "spec.jobTemplate.spec")
    policy["max_attempts"] = int(_DEFAULT_BACKOFF_LIMIT if limit is None else limit) + 1
    grace = _number(spec, "startingDeadlineSeconds", "spec")
    # Without a deadline a late start is made good whenever the controller comes back.
    policy["misfire_grace"] = _LONGEST_GRACE if grace is None else float(grace)
    timeout = _number(job, "activeDeadlineSeconds", "spec.jobTemplate.spec")
    return policy if timeout is None else {**policy, "timeout": float(timeout)}


def _container(job: Mapping[str, Any], remarks: list[str]) -> Mapping[str, Any]:
    containers = _dig(job, "template", "spec", "containers")
    found = [one for one in containers if isinstance(one, Mapping)] if isinstance(containers, list) else []
    if not found:
        raise Unusable("spec.jobTemplate.spec.template.spec.containers: there is none")
    if len(found) > 1:
        remarks.append(f"{len(found)} containers: only the first, {found[0].get('name')!r}, was taken over")
    if _dig(job, "template", "spec", "initContainers"):
        remarks.append("its init containers are left out")
    return found[0]


def _params(container: Mapping[str, Any], remarks: list[str]) -> dict[str, Any]:
    command, args = container.get("command") or [], container.get("args") or []
    if not isinstance(command, list) or not isinstance(args, list):
        raise Unusable("command and args must be lists of words")
    if not command:
        raise Unusable(
            f"image {container.get('image')!r} brings its own entry point, which only the image knows; give command"
        )
    remarks.append(f"needs {command[0]} in worker.allowed_commands; its image was {container.get('image')}")
    params: dict[str, Any] = {"command": [str(word) for word in [*command, *args]]}
    env, secret = _environment(container)
    if env:
        params["env"] = env
    if secret:
        remarks.append(f"not taken over, as their values lie elsewhere: {', '.join(secret)}")
    if container.get("workingDir"):
        params["cwd"] = str(container["workingDir"])
    return params


def _environment(container: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Variables with a value, and the names of those that point to a secret, a config map or a field."""
    env: dict[str, str] = {}
    elsewhere = ["envFrom"] if container.get("envFrom") else []
    for variable in container.get("env") or []:
        name = str(variable.get("name")) if isinstance(variable, Mapping) else str(variable)
        if isinstance(variable, Mapping) and "valueFrom" not in variable:
            env[name] = str(variable.get("value") or "")
        else:
            elsewhere.append(name)
    return env, elsewhere


def _number(where: Mapping[str, Any], name: str, path: str) -> int | float | None:
    value = where.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0):
        return value
    raise Unusable(f"{path}.{name}: {value!r} is no number of seconds or tries")


def _mapping(where: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    found = _dig(where, *path)
    if not isinstance(found, Mapping):
        raise Unusable(f"{'.'.join(path)}: is required")
    return found


def _dig(where: Any, *path: str) -> Any:
    for name in path:
        where = where.get(name) if isinstance(where, Mapping) else None
    return where
