// LibTorch's random numbers follow from --rng-seed, for each test case anew: one that fails fails again by itself.
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // the listeners of version 2
#include "test/catch.h"

#include <ATen/Context.h>

namespace {

#if __has_include(<catch2/catch_all.hpp>)
using Listener = Catch::EventListenerBase;
uint32_t given_seed() { return Catch::getSeed(); }
#else
using Listener = Catch::TestEventListenerBase;
uint32_t given_seed() { return Catch::rngSeed(); }
#endif

struct SeedTestCases : Listener {
  using Listener::Listener;
  void testCaseStarting(const Catch::TestCaseInfo&) override { at::manual_seed(given_seed()); }
};
CATCH_REGISTER_LISTENER(SeedTestCases)

}  // namespace
