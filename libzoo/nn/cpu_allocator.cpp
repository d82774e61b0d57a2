#include <libzoo/nn/cpu_allocator.h>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <sys/mman.h>

#include <bit>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace zoo::nn {
namespace {

constexpr size_t kLarge = size_t(1) << 16;
constexpr uintptr_t kPage = 4096;

size_t rounded(size_t bytes) {
  const size_t step = std::bit_ceil(bytes) / 16;  // at most an eighth of `bytes`, at least a page
  return (bytes + step - 1) / step * step;
}

class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes < kLarge || bytes > SIZE_MAX / 4) return c10::GetDefaultCPUAllocator()->allocate(bytes);
    void* piece = take(rounded(bytes));
    if (!piece) return c10::GetDefaultCPUAllocator()->allocate(bytes);  // its error says how much was wanted
    return {piece, piece, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  CpuMemory memory() {
    const std::lock_guard lock(mutex_);
    return {int64_t(used_), int64_t(waiting_)};
  }

 private:
  void* take(size_t size) {
    const std::lock_guard lock(mutex_);
    auto& free = free_[size];
    if (free.empty() && waiting_ > used_) give_back();
    void* piece = nullptr;
    if (!free.empty()) {
      piece = free.back();  // the last one freed: likely still in the cache
      free.pop_back();
      waiting_ -= size;
    } else {
      piece = map(size);
      if (!piece) give_back(), piece = map(size);
      if (!piece) return nullptr;
      sizes_.emplace(piece, size);
    }
    used_ += size;
    return piece;
  }

  static void* map(size_t size) {
    void* piece = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) return nullptr;
    madvise(piece, size, MADV_HUGEPAGE);  // a hint: fewer page faults
    return piece;
  }

  void give_back() {
    for (auto& [size, pieces] : free_) {
      for (void* piece : pieces) munmap(piece, size), sizes_.erase(piece);
      pieces.clear();
    }
    waiting_ = 0;
  }

  bool put(void* piece) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(piece);
    if (found == sizes_.end()) return false;
    free_[found->second].push_back(piece);
    used_ -= found->second;
    waiting_ += found->second;
    return true;
  }

  // Also of small pieces that were asked for without a DataPtr, and of those from before this allocator was in use.
  static void release(void* piece);

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> free_;
  std::unordered_map<void*, size_t> sizes_;  // of all pieces
  size_t used_ = 0, waiting_ = 0;
};

CachingAllocator& allocator() {
  static auto* instance = new CachingAllocator;  // tensors may outlive every static object
  return *instance;
}

void CachingAllocator::release(void* piece) {
  if (reinterpret_cast<uintptr_t>(piece) % kPage == 0 && piece && allocator().put(piece)) return;
  c10::GetDefaultCPUAllocator()->raw_deallocate(piece);
}

}  // namespace

void use_caching_cpu_allocator() {
  if (c10::GetCPUAllocator() != &allocator()) c10::SetCPUAllocator(&allocator(), /*priority=*/1);
}

CpuMemory cpu_memory() { return allocator().memory(); }

}  // namespace zoo::nn
