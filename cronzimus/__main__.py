"""`python -m cronzimus` is the `cronzimus` command."""

from cronzimus.cli import main

if __name__ == "__main__":
    main()
