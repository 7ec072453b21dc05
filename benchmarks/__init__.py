"""What Cronzimus costs, measured beside its peers on the same server in the same run; `make bench` prints it."""
