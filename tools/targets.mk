# The targets that compile nothing themselves. Included at the end of the Makefile.

.PHONY: help
help: ## this list
	@grep -hE '^[a-zA-Z0-9_.-]+:.*## ' $(MAKEFILE_LIST) | LC_ALL=C sort | \
	    sed -E 's/^([a-zA-Z0-9_.-]+):.*## (.*)$$/  make \1\t\2/' | expand -t 28

.PHONY: clean
clean: ## remove what was built
	rm -rf build

.PHONY: deps
deps: ## install the Debian packages that building and testing need
	@tools/deps.sh test
