#include <libzoo/bit/class_map.h>

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/core/suggest.h>
#include <libzoo/io/bytes.h>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

namespace zoo::bit {
namespace {

int64_t place(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : found - names.begin();
}

int64_t output_of(const Json& value, const std::vector<std::string>& names, int64_t outputs, const std::string& where) {
  if (value.is_string()) {
    const int64_t found = place(names, value.get<std::string>());
    if (found >= 0) return found;
    throw UserError(
        fmt::format("{}: the network has no class '{}'{}", where, value.get<std::string>(), did_you_mean(value.get<std::string>(), names)),
        names.empty() ? "the checkpoint does not name its classes: give numbers" : "");
  }
  if (value.is_number_integer() && value.get<int64_t>() >= 0 && value.get<int64_t>() < outputs) return value.get<int64_t>();
  throw UserError(fmt::format("{}: {} is no output of the network", where, value.dump(-1, ' ', false, Json::error_handler_t::replace)),
                  fmt::format("outputs are 0 to {}, or class names", outputs - 1));
}

}  // namespace

at::Tensor ClassMap::labels(const at::Tensor& labels) const {
  auto mapped = labels.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
  int64_t* values = mapped.data_ptr<int64_t>();
  for (int64_t i = 0; i < mapped.numel(); ++i)
    if (!is_mapped.at(size_t(values[i]))) values[i] = -1;
  return mapped;
}

ClassMap read_class_map(const std::filesystem::path& file, const std::vector<std::string>& data_classes,
                        const std::vector<std::string>& network_classes, int64_t outputs) {
  const io::Bytes bytes = io::map_file(file);
  const Json json = parse_json({reinterpret_cast<const char*>(bytes.view.data()), bytes.view.size()}, file.string());
  if (!json.is_object()) throw UserError(fmt::format("{}: not an object from class names to lists of outputs", file.string()));
  ClassMap map{at::full({outputs}, -1, at::kLong), std::vector<bool>(data_classes.size(), false)};
  int64_t* class_of = map.class_of_output.data_ptr<int64_t>();
  for (const auto& [name, list] : json.items()) {
    const std::string where = fmt::format("{}: '{}'", file.string(), name);
    const int64_t label = place(data_classes, name);
    if (label < 0) throw UserError(fmt::format("{}: the data has no such class{}", where, did_you_mean(name, data_classes)));
    if (!list.is_array()) throw UserError(fmt::format("{}: not a list of outputs", where));
    for (const auto& value : list) {
      const int64_t output = output_of(value, network_classes, outputs, where);
      if (class_of[output] >= 0) throw UserError(fmt::format("{}: output {} is given twice", where, output));
      class_of[output] = label;
      map.is_mapped[size_t(label)] = true;
    }
  }
  if (std::find(map.is_mapped.begin(), map.is_mapped.end(), true) == map.is_mapped.end())
    throw UserError(fmt::format("{}: maps no class to any output", file.string()));
  return map;
}

}  // namespace zoo::bit
