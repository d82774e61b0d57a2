#include <libzoo/core/error.h>
#include <libzoo/io/lost_pages.h>

#include <fmt/format.h>

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

namespace zoo::io {

// Nodes are never freed, so that the handler may walk them at any time; those of mappings that are gone are used again.
struct Node {
  std::atomic<uintptr_t> begin = 0, end = 0;
  std::atomic<bool> lost = false;
  Node* next = nullptr;       // of all nodes; set before the node is published
  Node* next_free = nullptr;  // under the mutex
};

namespace {

std::atomic<Node*> all{nullptr};
std::atomic<bool> any_lost{false};
std::mutex mutex;
Node* free_nodes = nullptr;
struct sigaction before;
uintptr_t page_size = 4096;

Node* find(uintptr_t address) {
  for (Node* node = all.load(std::memory_order_acquire); node; node = node->next) {
    if (address >= node->begin.load() && address < node->end.load()) return node;
  }
  return nullptr;
}

// Puts a page of zeros where the file has none. Only system calls and atomics: this runs inside a signal.
void on_bus_error(int number, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (Node* node = info->si_code == BUS_ADRERR ? find(address) : nullptr) {
    void* page = reinterpret_cast<void*>(address / page_size * page_size);
    if (::mmap(page, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page) {
      node->lost = true;
      any_lost = true;
      return;
    }
  }
  if (before.sa_flags & SA_SIGINFO) return before.sa_sigaction(number, info, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) return before.sa_handler(number);
  ::signal(SIGBUS, SIG_DFL);  // the access is repeated, and ends the process
}

void install() {
  page_size = uintptr_t(::sysconf(_SC_PAGESIZE));
  struct sigaction action{};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &before);
}

}  // namespace

WatchedMapping::WatchedMapping(std::span<const uint8_t> mapping) : mapping_(mapping) {
  const std::lock_guard lock(mutex);
  if (!all.load()) install();
  if (free_nodes) {
    node_ = free_nodes;
    free_nodes = node_->next_free;
  } else {
    node_ = new Node;
    node_->next = all.load();
    all.store(node_, std::memory_order_release);
  }
  node_->lost = false;
  node_->end = reinterpret_cast<uintptr_t>(mapping.data()) + mapping.size();
  node_->begin = reinterpret_cast<uintptr_t>(mapping.data());
}

WatchedMapping::~WatchedMapping() {
  {
    const std::lock_guard lock(mutex);
    node_->end = 0;
    node_->next_free = free_nodes;
    free_nodes = node_;
  }
  ::munmap(const_cast<uint8_t*>(mapping_.data()), mapping_.size());
}

bool lost_pages(std::span<const uint8_t> bytes) {
  if (!any_lost || bytes.empty()) return false;
  const Node* node = find(reinterpret_cast<uintptr_t>(bytes.data()));
  return node && node->lost;
}

bool has_pages(std::span<const uint8_t> bytes) {
  const auto* first = static_cast<const volatile uint8_t*>(bytes.data());
  for (size_t at = 0; at < bytes.size(); at += page_size) static_cast<void>(first[at]);
  if (!bytes.empty()) static_cast<void>(first[bytes.size() - 1]);
  return !lost_pages(bytes);
}

void require_pages(std::span<const uint8_t> bytes, const std::string& where) {
  if (!has_pages(bytes)) throw UserError(fmt::format("{}: the file has become shorter while it was read", where));
}

}  // namespace zoo::io
