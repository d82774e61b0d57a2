#include <libzoo/data/echo.h>

#include <fmt/format.h>

namespace zoo::data {

void check_echo(const EchoOptions& options, const std::string& upstream) {
  check_echo_factor(options.factor);
  EchoOrder(options.shuffle_buffer, options.min_lag, {});
  if (!options.nested && upstream.find(" | echo(") != std::string::npos)
    throw Error(fmt::format("this stream has an echo already: {}", upstream), "set nested if the factors are to multiply");
}

std::string describe_echo(const EchoOptions& o) {
  if (o.passes_through()) return {};
  std::string text = fmt::format("echo({}, seed={}", o.control ? "auto" : fmt::format("{}", o.factor), o.seed);
  if (o.shuffle_buffer > 1) text += fmt::format(", buffer={}", o.shuffle_buffer);
  if (o.min_lag > 0) text += fmt::format(", min_lag={}", o.min_lag);
  return text + ")";
}

}  // namespace zoo::data
