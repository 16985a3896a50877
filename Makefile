# SPDX-License-Identifier: GPL-3.0-or-later
# One line a target; `make` alone lists them. Without make, type the line itself.
PYTHON ?= python3.11

.PHONY: help demo test test-all bench zip check fmt lock
help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12
demo:  ## set up and replace a performer: `make demo`, or `make demo CLIP=shot.mp4 CHARACTER=hero.png`
	$(PYTHON) -m tools demo $(if $(CLIP),"$(CLIP)") $(if $(CHARACTER),"$(CHARACTER)")
test:  ## set up and run the tests
	$(PYTHON) -m tools test
test-all:  ## the long tests too
	$(PYTHON) -m tools test-all
bench:  ## measure, and print a table: `make bench`, or `make bench ROWS="speed wait"`
	$(PYTHON) -m tools bench $(ROWS)
zip:  ## build the extension's zips: `make zip`, or `make zip PLATFORM=linux-x64`
	$(PYTHON) -m tools zip $(PLATFORM)
check:  ## formatting, lint, licence lines, import arrows and types
	$(PYTHON) -m tools check
fmt:  ## format the code
	$(PYTHON) -m tools fmt
lock:  ## write requirements/*.txt anew from pyproject.toml
	$(PYTHON) -m tools lock
