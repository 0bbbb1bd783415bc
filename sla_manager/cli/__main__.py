"""`python -m sla_manager.cli` is `sla-manager`, where the console script is not installed."""

from sla_manager.cli import main

if __name__ == "__main__":
    main()
