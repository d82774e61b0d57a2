// The main function of every test program.
#define CATCH_CONFIG_MAIN
#include "test/catch.h"

#ifdef __SANITIZE_THREAD__
// The thread sanitizer does not see the atomic count inside exceptions: it lies in libstdc++, and in LibTorch's copy of it, which
// are not instrumented. So it takes the release of an exception that another thread has thrown for a race.
extern "C" const char* __tsan_default_suppressions() { return "race:std::__exception_ptr::exception_ptr::_M_release\n"; }
#endif
