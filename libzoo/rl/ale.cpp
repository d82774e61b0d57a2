#include <libzoo/core/error.h>
#include <libzoo/rl/ale.h>
#include <libzoo/rl/ale_plugin.h>

#include <fmt/format.h>

#include <dlfcn.h>

#include <array>

namespace zoo::rl {
namespace {

constexpr const char* kEntry = "zoo_ale_plugin";
constexpr int32_t kMaxActions = 18, kMaxSide = 4096;

const zoo_ale_api& load_plugin(const std::filesystem::path& plugin) {
  void* library = dlopen(plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw UserError(fmt::format("{}: {}", plugin.string(), dlerror()),
                    "ale_plugin names a shared library as libzoo/rl/ale_plugin.h describes");
  const auto entry = reinterpret_cast<decltype(&zoo_ale_plugin)>(dlsym(library, kEntry));
  const zoo_ale_api* api = entry ? entry() : nullptr;
  if (!api) throw UserError(fmt::format("{}: exports no {}", plugin.string(), kEntry), "libzoo/rl/ale_plugin.h describes the interface");
  if (api->version != ZOO_ALE_VERSION)
    throw UserError(fmt::format("{}: the plug-in's interface has version {}, {} is needed", plugin.string(), api->version, ZOO_ALE_VERSION),
                    "compile it against this libzoo");
  return *api;
}

class Ale final : public Console {
 public:
  Ale(const std::filesystem::path& plugin, const std::filesystem::path& rom) : api_(load_plugin(plugin)), name_(rom.stem().string()) {
    std::array<char, 256> error{};
    if (api_.open(rom.c_str(), &console_, error.data(), error.size()) != 0 || !console_)
      throw UserError(fmt::format("{}: the machine does not take this ROM: {}", rom.string(), error.data()),
                      "roms names a folder of ROM files that you own, with the emulator's names");
    api_.screen_size(console_, &height_, &width_);
    std::array<int32_t, kMaxActions> actions{};
    const int32_t count = api_.minimal_actions(console_, actions.data(), kMaxActions);
    const bool sane = count > 0 && count <= kMaxActions && height_ > 0 && width_ > 0 && height_ <= kMaxSide && width_ <= kMaxSide;
    if (!sane) {
      api_.close(console_);
      throw UserError(fmt::format("{}: reports {} actions and a screen of {}x{}", plugin.string(), count, height_, width_));
    }
    actions_.assign(actions.begin(), actions.begin() + count);
  }
  ~Ale() override { api_.close(console_); }
  Ale(const Ale&) = delete;

  std::string name() const override { return name_; }
  int64_t height() const override { return height_; }
  int64_t width() const override { return width_; }
  std::vector<int64_t> minimal_actions() const override { return actions_; }
  void reset() override { api_.reset(console_); }
  double act(int64_t action) override { return api_.act(console_, int32_t(action)); }
  bool game_over() const override { return api_.game_over(console_) != 0; }

  void screen(std::span<uint8_t> rgb) const override {
    if (rgb.size() != size_t(height_) * size_t(width_) * 3)
      throw Error(fmt::format("a screen of {} bytes does not fit {}", rgb.size(), name_));
    api_.screen(console_, rgb.data());
  }

  std::vector<uint8_t> save() const override {
    std::vector<uint8_t> bytes(api_.save(console_, nullptr, 0));
    if (api_.save(console_, bytes.data(), bytes.size()) != bytes.size())
      throw Error(fmt::format("{}: the machine's state changes its size", name_));
    return bytes;
  }

  void load(std::span<const uint8_t> saved) override {
    std::array<char, 256> error{};
    if (api_.load(console_, saved.data(), saved.size(), error.data(), error.size()) != 0)
      throw Error(fmt::format("{}: the machine refuses the saved state: {}", name_, error.data()));
  }

 private:
  const zoo_ale_api& api_;
  std::string name_;
  zoo_ale_console* console_ = nullptr;
  int32_t height_ = 0, width_ = 0;
  std::vector<int64_t> actions_;
};

}  // namespace

std::unique_ptr<Console> open_ale(const std::filesystem::path& plugin, const std::filesystem::path& rom) {
  return std::make_unique<Ale>(plugin, rom);
}

}  // namespace zoo::rl
