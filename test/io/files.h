// Files of a test: a folder that goes away, contents as bytes.
#pragma once

#include <libzoo/io/bytes.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace zoo::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> counter{0};
    path_ = std::filesystem::temp_directory_path() / ("zoo-test-io-" + std::to_string(getpid()) + "-" + std::to_string(counter++));
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) result.push_back(entry.path().filename().string());
    return result;
  }

 private:
  std::filesystem::path path_;
};

inline io::Bytes bytes(std::string_view text) { return io::Bytes::own({text.begin(), text.end()}); }

inline std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T> std::string raw(T value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

// `text` with `count` bytes from `at` replaced.
inline std::string with(std::string text, size_t at, size_t count, std::string_view replacement) {
  return text.replace(at, count, replacement);
}

}  // namespace zoo::test
