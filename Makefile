# Two commands do everything on a fresh Debian 12 with a Swift toolchain: `make run` and `make test`.
.DEFAULT_GOAL := run
.PHONY: run test soak fuzz build score lint packages sample install clean thread-sanitizer address-sanitizer ocr-score \
  accept-documents fidelity

PREFIX ?= /usr/local
SWIFT ?= swift
PIPE = .build/release/pipe
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# What the program links and calls.
LIBRARIES = pkg-config libavcodec-dev libavfilter-dev libavformat-dev libavutil-dev libswscale-dev \
  libtesseract-dev libleptonica-dev libpoppler-glib-dev libqpdf-dev zlib1g-dev tesseract-ocr-eng tesseract-ocr-osd
# What only the sample and the tests need: independent judges of what was written, and old processors.
JUDGES = ffmpeg qemu-user binutils qpdf poppler-utils tesseract-ocr python3-jsonschema python3-yaml

run: sample build  ## Build and upscale a small sample
	$(PIPE) run pipelines/upscale.yml .build/sample -o .build/sample-2x
	@echo
	@echo "Before: .build/sample    after: .build/sample-2x"
	@echo "Now your own: $(PIPE) run upscale.yml FOLDER    what else there is: $(PIPE) --help"

build: .build/packages-installed
	$(SWIFT) build -c release --product pipe

sample: .build/packages-installed
	assets/samples/make-sample.sh .build/sample

packages: .build/packages-installed

.build/packages-installed: Makefile
	@missing=""; for p in $(LIBRARIES) $(JUDGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  $(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -yq --no-install-recommends $$missing; fi
	@mkdir -p .build && touch $@

test: .build/packages-installed lint  ## Everything that is checked
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build
	Tests/check-isa-symbols.sh
	Tests/check-old-processors.sh
	Tests/check-arm64.sh

# Held-out pictures and clips (see assets/training/README.md), and a Python that has its requirements.txt.
DATA ?= ../shared/data
PYTHON ?= python3

score: build  ## Measure every shipped network through `pipe run`, and write docs/MODELS.md
	$(PYTHON) assets/training/measure.py --pipe $(PIPE) --models assets/models --data $(DATA) \
	  --out docs/MODELS.md --work .build/score

soak: .build/packages-installed  ## Runs of videos, documents and broken files, killed at 100 random moments
	PIPE_SOAK_KILLS=100 $(SWIFT) test --filter KillTests

fuzz: .build/packages-installed  ## 10,000 mutants of the shipped models and of those of the tests
	PIPE_FUZZ=10000 $(SWIFT) test --filter HostileModelTests

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

fidelity:  ## What arrives of each property of each test clip, into docs/FIDELITY.md
	PIPE_FIDELITY=$(CURDIR)/docs/FIDELITY.md $(SWIFT) test --filter FidelityTests

thread-sanitizer:  ## The tests under ThreadSanitizer
	$(SWIFT) test --sanitize thread --scratch-path .build/thread-sanitizer

address-sanitizer:  ## The tests under AddressSanitizer
	$(SWIFT) test --sanitize address --scratch-path .build/address-sanitizer

# Pages with known words, and documents of every odd kind.
DOCUMENTS ?= ../shared/data/docs

ocr-score: build  ## The figures of docs/OCR.md
	Benchmarks/ocr_score.py $(DOCUMENTS) --fixes

accept-documents: build  ## Other programs judge what comes of documents
	Benchmarks/accept_documents.py $(DOCUMENTS)/ocrmypdf

install: build  ## Install under PREFIX, with shell completions
	install -D -m 755 $(PIPE) $(DESTDIR)$(PREFIX)/bin/pipe
	install -d $(DESTDIR)$(PREFIX)/share/pipe/pipelines $(DESTDIR)$(PREFIX)/share/pipe/models
	install -m 644 pipelines/*.yml $(DESTDIR)$(PREFIX)/share/pipe/pipelines
	install -m 644 assets/models/*.onnx $(DESTDIR)$(PREFIX)/share/pipe/models
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(PIPE) --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pipe
	$(PIPE) --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_pipe
	$(PIPE) --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/pipe.fish

clean:
	rm -rf .build
