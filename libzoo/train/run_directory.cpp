#include <libzoo/train/run_directory.h>

#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/io/bytes.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace zoo::train {
namespace {

namespace fs = std::filesystem;

constexpr std::array kNames{"config.yaml",       "manifest.json", "log.txt",     "metrics.jsonl", "result.json",
                            "model.safetensors", "tensorboard",   "checkpoints", "samples",       ".lock"};

// Also the temporary neighbours of a file that is being replaced: "manifest.json.<anything>", ".manifest.json.<anything>".
bool is_run_entry(std::string_view name) {
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view known) {
    if (name == known) return true;
    std::string_view rest = name.starts_with(".") && !known.starts_with(".") ? name.substr(1) : name;
    return rest.starts_with(known) && rest.size() > known.size() && rest[known.size()] == '.';
  });
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) found.push_back(it->path());
  if (error) throw UserError(fmt::format("{}: {}", folder.string(), error.message()));
  return found;
}

Json read_manifest(const fs::path& folder) {
  const fs::path path = folder / "manifest.json";
  if (!fs::exists(path)) return nullptr;
  Json manifest = parse_json(io::map_file(path).text(), path.string());
  if (!manifest.is_object() || !manifest.contains("zoo_run")) return nullptr;
  return manifest;
}

enum class Contents { none, remains, run, foreign };

// none: empty but for the lock and what a process left that was killed while it wrote its first manifest; remains: what
// is left of a run whose removal was cut short.
Contents contents(const fs::path& folder) {
  bool none = true, all_known = true, manifest = false;
  for (const fs::path& entry : entries(folder)) {
    const std::string name = entry.filename().string();
    manifest = manifest || name == "manifest.json";
    none = none && (name == ".lock" || (name != "manifest.json" && name.find("manifest.json.") <= 1));
    all_known = all_known && is_run_entry(name);
  }
  if (none) return Contents::none;
  if (!manifest) return all_known ? Contents::remains : Contents::foreign;
  try {
    return read_manifest(folder).is_null() ? Contents::foreign : Contents::run;
  } catch (const Error&) {
    return Contents::foreign;
  }
}

// Places whose contents are never removed, whatever they look like.
void refuse_precious(const fs::path& folder) {
  const auto refuse = [&](const std::string& why) {
    throw UserError(fmt::format("--overwrite would remove what is in {}, which is {}", folder.string(), why),
                    "name another --out directory");
  };
  if (fs::is_symlink(folder.has_filename() ? folder : folder.parent_path())) refuse("a symbolic link");
  const fs::path real = fs::canonical(folder);
  if (real == real.root_path()) refuse("the root of the file system");
  const passwd* user = getpwuid(geteuid());
  std::error_code error;
  for (const char* home : {static_cast<const char*>(std::getenv("HOME")), user ? static_cast<const char*>(user->pw_dir) : nullptr}) {
    if (home && *home && fs::equivalent(real, home, error)) refuse("a home directory");
  }
  for (fs::path here = fs::current_path(error); !error && !here.empty(); here = here.parent_path()) {
    if (here == real) refuse("the current directory or one above it");
    if (here == here.root_path()) break;
  }
}

fs::path make_temporary() {
  std::string pattern = (fs::temp_directory_path() / "zoo-dry-run-XXXXXX").string();
  if (!mkdtemp(pattern.data())) {
    throw Error(fmt::format("{}: {}", pattern, std::strerror(errno)), "set TMPDIR to a folder that can be written");
  }
  return pattern;
}

}  // namespace

RunDirectory::RunDirectory(const RunOptions& options, bool follower) : path_(options.directory) {
  if (options.dry_run || follower) {
    path_ = make_temporary();
    temporary_ = true;
    return;
  }
  if (path_.empty()) throw UserError("the run has no directory", "pass --out DIR");
  if (options.resume && options.overwrite) throw UserError("--resume and --overwrite exclude each other", "choose one");
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw UserError(fmt::format("{} exists and is not a folder", path_.string()), "name another --out directory");
  }
  if (options.overwrite && fs::exists(status)) refuse_precious(path_);
  if (!fs::exists(status)) {
    fs::create_directories(path_, error);
    if (error) {
      throw UserError(fmt::format("can't make the run directory {}: {}", path_.string(), error.message()),
                      "check the path and its permissions");
    }
  }
  if (contents(path_) == Contents::foreign) {
    throw UserError(fmt::format("{} exists and is not the directory of a run (no manifest.json of ours in it)", path_.string()),
                    "name another --out directory, or empty this one yourself");
  }
  try {
    lock();
    const Contents held = contents(path_);
    if (options.overwrite) {
      empty();
    } else if (options.resume) {
      if (held == Contents::remains) {
        throw UserError(fmt::format("{} has no manifest.json, so there is nothing to resume", path_.string()), "--overwrite starts anew");
      }
      remove_temporaries();
      manifest_ = read_manifest(path_);  // null: stopped before anything was done
    } else if (held != Contents::none) {
      throw UserError(fmt::format("the run directory {} exists already", path_.string()),
                      "--resume continues it, --overwrite replaces it, --out names another");
    }
  } catch (...) {
    if (lock_ >= 0) close(lock_);
    throw;
  }
}

RunDirectory::~RunDirectory() {
  if (temporary_) {
    std::error_code error;
    fs::remove_all(path_, error);
    if (error) log::warning(fmt::format("{} could not be removed: {}", path_.string(), error.message()));
  }
  if (lock_ >= 0) close(lock_);
}

void RunDirectory::lock() {
  const fs::path file = path_ / ".lock";
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (lock_ < 0) throw UserError(fmt::format("{}: {}", file.string(), std::strerror(errno)), "the run directory must be writable");
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      log::warning(fmt::format("{}: {}; nothing keeps a second process out of this run", file.string(), std::strerror(errno)));
      return;
    }
    char text[32] = {};
    const bool known = pread(lock_, text, sizeof text - 1, 0) > 0;
    const std::string holder = known ? fmt::format("process {}", std::atol(text)) : "another process";
    throw UserError(fmt::format("the run directory {} is in use by {}", path_.string(), holder),
                    "wait until it ends, stop it, or name another --out directory");
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(lock_, 0) != 0 || pwrite(lock_, pid.data(), pid.size(), 0) != ssize_t(pid.size())) {
    log::debug(fmt::format("{}: the process id could not be written: {}", file.string(), std::strerror(errno)));
  }
}

// What a process leaves that was killed while it replaced a file.
void RunDirectory::remove_temporaries() {
  std::error_code ignored;
  for (const fs::path& entry : entries(path_)) {
    const std::string name = entry.filename().string();
    if (name.starts_with('.') && name != ".lock" && is_run_entry(name)) fs::remove(entry, ignored);
  }
}

// The manifest goes first: without it a directory that is half removed is never resumed.
void RunDirectory::empty() {
  std::error_code error;
  fs::remove(path_ / "manifest.json", error);
  for (const fs::path& entry : entries(path_)) {
    if (entry.filename() == ".lock") continue;
    fs::remove_all(entry, error);
    if (error) throw UserError(fmt::format("{} can't be removed: {}", entry.string(), error.message()));
  }
}

namespace {

void compare(const Json* before, const Json* now, const std::string& path, const std::vector<std::string>& may_change,
             std::vector<Difference>& found) {
  const bool allowed = std::any_of(may_change.begin(), may_change.end(), [&](const std::string& key) {
    return path == key || (path.size() > key.size() && path.starts_with(key) && path[key.size()] == '.');
  });
  if (allowed || (before && now && *before == *now)) return;
  if (before && now && before->is_object() && now->is_object()) {
    const auto child = [&](const std::string& key) { return path.empty() ? key : path + '.' + key; };
    for (const auto& [key, value] : now->items()) {
      compare(before->contains(key) ? &before->at(key) : nullptr, &value, child(key), may_change, found);
    }
    for (const auto& [key, value] : before->items()) {
      if (!now->contains(key)) compare(&value, nullptr, child(key), may_change, found);
    }
    return;
  }
  const auto show = [](const Json* value) {
    return value ? value->dump(-1, ' ', false, Json::error_handler_t::replace) : std::string("nothing");
  };
  found.push_back({path, show(before), show(now)});
}

}  // namespace

std::vector<Difference> differences(const Json& before, const Json& now, const std::vector<std::string>& may_change) {
  std::vector<Difference> found;
  compare(&before, &now, "", may_change, found);
  return found;
}

}  // namespace zoo::train
