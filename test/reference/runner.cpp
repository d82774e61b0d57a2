// zoo-reference: runs reference cases against the library and says which of them it reproduces.
//
//   zoo-reference [--dir DIR] [--filter GLOB]      one line a case, then `N passed, N failed`; exit status 1 if any failed
#include "test/reference/case.h"

#include <libzoo/core/error.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

using namespace zoo::reference;

// What the handler of fatal signals prints: the case that was running.
char current_case[512] = "no case";

void report_crash(int signal) {
  const char* parts[] = {"FAIL ", current_case, ": crashed, signal ",
                         signal == SIGSEGV   ? "SIGSEGV"
                         : signal == SIGABRT ? "SIGABRT"
                         : signal == SIGFPE  ? "SIGFPE"
                                             : "SIGBUS or SIGILL",
                         "; the cases after it did not run\n"};
  for (const char* part : parts)
    if (write(STDOUT_FILENO, part, std::strlen(part)) < 0) break;
  _exit(1);
}

std::string one_line(std::string text) {
  text = text.substr(0, text.find("\nException raised from"));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

OpTable all_ops() {
  OpTable ops;
  ops.merge(bit_ops());
  ops.merge(simclr_ops());
  ops.merge(echo_ops());
  ops.merge(image_ops());
  ops.merge(io_ops());
  ops.merge(offline_rl_ops());
  ops.merge(rl_ops());
  return ops;
}

// Empty if the case passes, else why not.
std::string run(Case& c, const OpTable& ops) {
  auto op = ops.find(c.op());
  if (op == ops.end()) return fmt::format("no binding for the op {}", c.op());
  try {
    op->second(c);
  } catch (const zoo::Error& error) {
    if (!c.expects_error()) return one_line(error.what());
    return *error.what() ? "" : "refused without a message";
  } catch (const BindingError& error) {
    return fmt::format("binding: {}", one_line(error.what()));
  } catch (const std::exception& error) {
    return fmt::format("{}{}", c.expects_error() ? "refused, but not with a zoo::Error: " : "", one_line(error.what()));
  }
  if (c.expects_error()) return "accepted what it must refuse";
  return fmt::format("{}", fmt::join(c.complaints(), "; "));
}

bool matches(const std::vector<std::string>& filters, const Case& c, const std::filesystem::path& folder) {
  const auto relative = c.path().lexically_relative(folder).replace_extension().string();
  auto hit = [&](const std::string& glob) {
    return fnmatch(glob.c_str(), c.op().c_str(), 0) == 0 || fnmatch(glob.c_str(), c.name().c_str(), 0) == 0 ||
           fnmatch(glob.c_str(), relative.c_str(), 0) == 0;
  };
  return filters.empty() || std::any_of(filters.begin(), filters.end(), hit);
}

std::vector<std::filesystem::path> case_files(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(folder))
    throw zoo::UserError(fmt::format("{} is no folder", folder.string()), "pass --dir DIR with reference cases");
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink))
    if (entry.is_regular_file() && entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

int run_all(const std::filesystem::path& folder, const std::vector<std::string>& filters) {
  const OpTable ops = all_ops();
  int64_t passed = 0, failed = 0;
  for (const auto& path : case_files(folder)) {
    std::string title = path.stem().string(), why;
    try {
      auto c = Case::read(path);
      if (!c || !matches(filters, *c, folder)) continue;
      title = fmt::format("{} {}", c->op(), c->name());
      std::snprintf(current_case, sizeof current_case, "%s", title.c_str());
      why = run(*c, ops);
    } catch (const std::exception& error) {
      why = one_line(error.what());
    }
    (why.empty() ? passed : failed) += 1;
    fmt::print("{} {}{}{}\n", why.empty() ? "PASS" : "FAIL", title, why.empty() ? "" : ": ", why);
    std::fflush(stdout);
  }
  if (passed + failed == 0) fmt::print(stderr, "error: no case in {}{}\n", folder.string(), filters.empty() ? "" : " matches the filter");
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder = ZOO_REFERENCE_DIR;
  std::vector<std::string> filters;
  CLI::App app{"Runs reference cases: safetensors files with inputs, options and expected outputs of one op each."};
  app.add_option("--dir", folder, "folder with cases, searched recursively")->capture_default_str();
  app.add_option("--filter", filters, "only cases whose op, name or path below the folder matches GLOB (repeatable)")->type_name("GLOB");
  CLI11_PARSE(app, argc, argv);

  for (int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) std::signal(signal, report_crash);
  try {
    return run_all(folder, filters);
  } catch (const zoo::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    if (!error.hint().empty()) fmt::print(stderr, "hint: {}\n", error.hint());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
