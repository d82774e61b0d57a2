#include "test/fuzz/targets.h"

#include <libzoo/io/bytes.h>
#include <libzoo/io/deflate.h>

#include <unistd.h>

#include <atomic>
#include <string>

namespace zoo::fuzz {

void consume(std::span<const uint8_t> bytes) {
  [[maybe_unused]] static volatile uint8_t sink;
  uint8_t sum = 0;
  for (uint8_t b : bytes) sum = uint8_t(sum + b);
  sink = sum;
}

void consume(std::string_view text) { consume(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size())); }

void consume(const Array& array) { consume(std::span(reinterpret_cast<const uint8_t*>(array.data()), array.bytes())); }

Input written(const std::function<void(const std::filesystem::path&)>& write) {
  static std::atomic<int> counter{0};
  const auto path = std::filesystem::temp_directory_path() / ("zoo-fuzz-" + std::to_string(getpid()) + "-" + std::to_string(counter++));
  write(path);
  Input input;
  {
    const auto file = io::map_file(path);
    input.assign(file.view.begin(), file.view.end());
  }
  std::filesystem::remove(path);
  return input;
}

Input to_input(std::string_view text) { return {text.begin(), text.end()}; }

io::Bytes file_of(std::span<const uint8_t> input) {
  static const auto kept = std::make_shared<int>(0);
  return {input, kept};
}

Input compressed(const Input& input, io::Framing framing) {
  Input result;
  io::DeflateStream out(framing, [&](std::span<const uint8_t> bytes) { result.insert(result.end(), bytes.begin(), bytes.end()); });
  out.write(input);
  out.finish();
  return result;
}

std::vector<Target> targets() {
  std::vector<Target> all = io_targets();
  for (auto& target : record_targets()) all.push_back(std::move(target));
  for (auto& target : text_targets()) all.push_back(std::move(target));
#ifdef ZOO_FUZZ_IMAGES
  for (auto& target : image_targets()) all.push_back(std::move(target));
  for (auto& target : replay_targets()) all.push_back(std::move(target));
#endif
  return all;
}

}  // namespace zoo::fuzz
