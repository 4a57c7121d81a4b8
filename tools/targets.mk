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

.PHONY: layers
layers: $(LIB_BASE) $(LIB_DOMAIN) ## check that includes point one way only, and that domain/ is pure
	@tools/layers.sh . $(LIB_DOMAIN)

.PHONY: distclean
distclean: clean ## also remove what was made at run time: var/, node_modules/
	@for d in var/*/pg; do [ ! -d "$$d" ] || tools/pg_cluster.sh destroy "$$d"; done
	rm -rf var compile_commands.json node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

# The script builds what it tests: nothing is compiled before the libraries are there.
.PHONY: test
test: ## install what is missing, build, run every test (T="unit pg ..." for some; SAN=asan)
	@SAN='$(SAN)' CI='$(CI)' TEST_CC='$(if $(filter command environment,$(origin CC)),$(CC))' MAKE='$(MAKE)' exec tools/run_tests.sh $(T)
