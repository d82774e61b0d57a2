#include <libzoo/core/error.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/state_file.h>

#include <fmt/format.h>

#include <cmath>

namespace zoo::io {
namespace {

const std::string kFormat = "zoo-state", kVersion = "1";

bool is_finite(const Json& value) {
  if (value.is_number_float()) return std::isfinite(value.get<double>());
  if (!value.is_structured()) return true;
  for (const auto& item : value) {
    if (!is_finite(item)) return false;
  }
  return true;
}

}  // namespace

void write_state(const std::filesystem::path& path, const State& state) {
  if (!is_finite(state.values)) throw Error(fmt::format("{}: a value is not finite, which JSON cannot hold", path.string()));
  std::string values;
  try {
    values = state.values.dump();
  } catch (const Json::exception& error) {
    throw Error(fmt::format("{}: the values are no JSON: {}", path.string(), error.what()));
  }
  write_safetensors(path, state.arrays, {{kFormat, kVersion}, {"values", values}});
}

State read_state(const std::filesystem::path& path) {
  const std::string where = path.string();
  auto file = read_safetensors(map_file(path), where);
  auto version = file.metadata.find(kFormat);
  auto values = file.metadata.find("values");
  if (version == file.metadata.end() || values == file.metadata.end()) {
    throw UserError(fmt::format("{}: a safetensors file, but not one of saved state", where));
  }
  if (version->second != kVersion) {
    throw UserError(fmt::format("{}: state of version {}, this program reads version {}", where, version->second, kVersion),
                    "use the program that wrote it");
  }
  return {std::move(file.tensors), parse_json(values->second, where + " (values)")};
}

}  // namespace zoo::io
