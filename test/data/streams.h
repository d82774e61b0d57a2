// What tests of streams have in common: all items of a stream, its items and errors as a story, threads of this process.
#pragma once

#include <libzoo/core/error.h>
#include <libzoo/data/stream.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace zoo::data {

using Items = std::vector<int64_t>;

template <class T>
std::vector<T> drain(Stream<T>& stream, size_t most = 100'000) {
  std::vector<T> items;
  while (items.size() < most) {
    auto item = stream.next();
    if (!item) break;
    items.push_back(std::move(*item));
  }
  return items;
}

// "0 -1 torn 2 -3 ": numbers and messages in the order in which they come.
inline std::string story_of(Stream<int64_t>& stream) {
  std::string story;
  for (;;) {
    try {
      const auto item = stream.next();
      if (!item) return story;
      story += std::to_string(*item) + " ";
    } catch (const Error& error) {
      story += std::string(error.what()) + " ";
    }
  }
}

inline size_t thread_count() {
  const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  return size_t(std::distance(begin(tasks), end(tasks)));
}

// An item that can't be copied, as a large picture should not be.
struct Payload {
  std::unique_ptr<int64_t> id;
};

}  // namespace zoo::data
