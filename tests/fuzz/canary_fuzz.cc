// A target that fails: it proves that the rig finds something. Not part of the replay.
#include "support/fuzz.h"

#ifdef WIREHALL_FUZZER
FUZZ_TARGET(canary) { FUZZ_CHECK(!in.rest().starts_with("FUZZ")); }
#endif
