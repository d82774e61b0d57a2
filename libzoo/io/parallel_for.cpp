#include <libzoo/io/parallel_for.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

namespace zoo::io {

void parallel_for(int64_t begin, int64_t end, int64_t grain, c10::function_ref<void(int64_t, int64_t)> work) {
  if (end <= begin) return;
  if (end - begin <= grain || at::get_num_threads() == 1 || at::in_parallel_region()) return work(begin, end);
  // An iterator cuts the tensor that it goes over into one run of bytes per thread; a byte stands for an item and is never touched.
  auto items = at::empty({end - begin}, at::kByte);
  const char* first = static_cast<const char*>(items.data_ptr());
  at::TensorIterator::nullary_op(items).for_each(
      [&](char** data, const int64_t*, int64_t count, int64_t) {
        const int64_t from = begin + (data[0] - first);
        work(from, from + count);
      },
      grain);
}

}  // namespace zoo::io
