"""The checks of an audit, one a module: each counts over the captions of a corpus, and then states its findings."""
