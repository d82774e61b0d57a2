#include "test/fuzz/guard.h"

#include <sanitizer/common_interface_defs.h>

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>

// Of sanitizer/allocator_interface.h, which GCC's packages leave out.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, size_t),
                                                         void (*on_free)(const volatile void*));
extern "C" size_t __sanitizer_get_allocated_size(const volatile void* pointer);

// Read by the sanitizers when the process starts.
extern "C" const char* __asan_default_options() {
  return "handle_abort=1:allocator_may_return_null=0:max_allocation_size_mb=1024:detect_stack_use_after_return=0:quarantine_size_mb=16:"
         "malloc_context_size=8";
}
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1:abort_on_error=1"; }

namespace zoo::fuzz {
namespace {

// Plain memory, so that it is readable while the process dies.
char crash_file[4096], repeat_line[4096];
const uint8_t* input_data = nullptr;
size_t input_size = 0;
std::atomic<int64_t> allocated{0}, peak{0};
std::atomic<bool> counting{false};

void say(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void save_input() {
  const int file = open(crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && write(file, input_data, input_size) == ssize_t(input_size)) {
    const char* const parts[] = {"\nthe input is in ", crash_file, "\nrepeat with: ", repeat_line, " ", crash_file, "\n"};
    for (const char* part : parts) say(part);
  }
  if (file >= 0) close(file);
}

void on_death() {
  if (input_data) save_input();
}

void on_alarm(int) {
  say("error: the parser took more than its time\n");
  save_input();
  _exit(1);
}

void on_malloc(const volatile void*, size_t size) {
  if (!counting.load(std::memory_order_relaxed)) return;
  const int64_t now = allocated.fetch_add(int64_t(size), std::memory_order_relaxed) + int64_t(size);
  if (now > peak.load(std::memory_order_relaxed)) peak.store(now, std::memory_order_relaxed);
}

void on_free(const volatile void* pointer) {
  if (pointer && counting.load(std::memory_order_relaxed)) {
    allocated.fetch_sub(int64_t(__sanitizer_get_allocated_size(pointer)), std::memory_order_relaxed);
  }
}

}  // namespace

void install_guard(const std::filesystem::path& file, const std::string& repeat) {
  std::strncpy(crash_file, file.c_str(), sizeof crash_file - 1);
  std::strncpy(repeat_line, repeat.c_str(), sizeof repeat_line - 1);
  __sanitizer_set_death_callback(on_death);
  __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  std::signal(SIGPROF, on_alarm);
}

void begin_input(std::span<const uint8_t> input, unsigned seconds) {
  input_data = input.data();
  input_size = input.size();
  allocated = peak = 0;
  counting = true;
  const itimerval timer{{0, 0}, {time_t(seconds), 0}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

void end_input() {
  const itimerval off{};
  setitimer(ITIMER_PROF, &off, nullptr);
  counting = false;
  if (peak > int64_t(2 * input_size) + (int64_t(64) << 20)) report("the parser took more than 2 x the input and 64 MiB of memory");
  input_data = nullptr;
}

void report(const char* why) {
  counting = false;
  say("error: ");
  say(why);
  say("\n");
  save_input();
  _exit(1);
}

}  // namespace zoo::fuzz
