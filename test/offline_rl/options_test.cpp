#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/offline_rl/log_options.h>

using namespace zoo;

TEST_CASE("an environment that is none, or does not go with its options, is refused with the options", "[offline_rl]") {
  const auto load = [](const char* text) {
    offline_rl::LogOptions options;
    load_options(options, {ConfigLayer::from_text("run.yaml", text)});
  };
  CHECK_NOTHROW(load("environment: {name: minatar/breakout}\n"));
  CHECK_NOTHROW(load("environment: {name: atari/pong}\n"));  // opened when it is played
  CHECK_THROWS_WITH(load("environment: {name: minatar/brekout}\n"),
                    Catch::Contains("run.yaml:1:21: environment.name") && Catch::Contains("did you mean 'breakout'?"));
  CHECK_THROWS_WITH(load("environment: {name: pendulum, screen: true}\n"), Catch::Contains("environment.name: screen: only MinAtar"));
}
