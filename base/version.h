/* version.h: what `ujrat --version` and `ujratd --version` say; CHANGELOG.md has a heading for each. */
#ifndef UJRAT_BASE_VERSION_H
#define UJRAT_BASE_VERSION_H

#define UJRAT_VERSION "0.1.0"

#endif
