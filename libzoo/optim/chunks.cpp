#include <libzoo/io/parallel_for.h>
#include <libzoo/optim/chunks.h>

#include <algorithm>
#include <utility>

namespace zoo::optim {

constexpr int64_t kChunk = 32768;  // values

void for_chunks(const std::vector<int64_t>& counts, c10::function_ref<void(size_t tensor, int64_t begin, int64_t end)> work) {
  std::vector<std::pair<size_t, int64_t>> chunks;
  for (size_t i = 0; i < counts.size(); ++i) {
    for (int64_t begin = 0; begin < counts[i]; begin += kChunk) chunks.emplace_back(i, begin);
  }
  io::parallel_for(0, int64_t(chunks.size()), 2, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const auto& [tensor, begin] = chunks[size_t(c)];
      work(tensor, begin, std::min(begin + kChunk, counts[tensor]));
    }
  });
}

}  // namespace zoo::optim
