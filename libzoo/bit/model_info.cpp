#include <libzoo/bit/model_info.h>
#include <libzoo/bit/models.h>

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>

#include <fmt/format.h>

#include <cmath>

namespace zoo::bit {
namespace {

constexpr const char* kModel = "zoo.model";
constexpr const char* kOptions = "zoo.options";
constexpr const char* kClasses = "zoo.classes";
constexpr const char* kPreprocessing = "zoo.preprocessing";
constexpr const char* kLicense = "zoo.license";
constexpr const char* kSeveralLabels = "zoo.several_labels";
constexpr int64_t kLargestPicture = 4096;  // pixels
constexpr int64_t kGroups = 32, kMostGroups = 4096;

[[noreturn]] void refuse(const std::string& where, const std::string& key, const std::string& what) {
  throw UserError(fmt::format("{}: metadata {}: {}", where, key, what));
}

std::vector<std::string> read_classes(const std::string& text, const std::string& where) {
  const Json json = parse_json(text, fmt::format("{}: metadata {}", where, kClasses));
  if (!json.is_array()) refuse(where, kClasses, "not a list of names");
  std::vector<std::string> classes;
  for (const auto& name : json) {
    if (!name.is_string()) refuse(where, kClasses, fmt::format("class {} is no text", classes.size()));
    classes.push_back(name.get<std::string>());
  }
  return classes;
}

// The members that a preprocessing object may have, each with its check.
class PreprocessingReader {
 public:
  PreprocessingReader(const Json& json, const std::string& where) : json_(json), where_(where) {
    if (!json.is_object()) refuse(where, kPreprocessing, "not an object");
  }

  std::string text(const char* key, const std::string& fallback, std::initializer_list<const char*> allowed) const {
    if (!json_.contains(key)) return fallback;
    const Json& value = json_.at(key);
    for (const char* one : allowed)
      if (value == one) return one;
    fail(key);
  }

  double number(const char* key, double fallback, double low, double high) const {
    return json_.contains(key) ? checked(json_.at(key), key, low, high) : fallback;
  }

  std::vector<double> numbers(const char* key, const std::vector<double>& fallback, double low, double high) const {
    if (!json_.contains(key)) return fallback;
    const Json& list = json_.at(key);
    if (!list.is_array() || list.empty() || list.size() > 16) fail(key);
    std::vector<double> values;
    for (const auto& value : list) values.push_back(checked(value, key, low, high));
    return values;
  }

 private:
  double checked(const Json& value, const char* key, double low, double high) const {
    if (!value.is_number()) fail(key);
    const double number = value.get<double>();
    if (!(number >= low && number <= high)) fail(key);
    return number;
  }
  [[noreturn]] void fail(const char* key) const {
    std::string value = json_.at(key).dump(-1, ' ', false, Json::error_handler_t::replace);
    if (value.size() > 100) value = value.substr(0, 100) + "…";
    refuse(where_, kPreprocessing, fmt::format("{} can't be {}", key, value));
  }

  const Json& json_;
  const std::string& where_;
};

Preprocessing read_preprocessing(const std::string& text, Preprocessing p, const std::string& where) {
  const Json json = parse_json(text, fmt::format("{}: metadata {}", where, kPreprocessing));
  const PreprocessingReader reader(json, where);
  p.mode = reader.text("mode", p.mode, {"squash", "shortest", "tf"});
  p.size = int64_t(reader.number("size", double(p.size), 1, double(kLargestPicture)));
  p.crop_fraction = reader.number("crop_fraction", p.crop_fraction, 0.01, 1);
  p.interpolation = reader.text("interpolation", p.interpolation, {"bilinear", "bicubic"});
  p.mean = reader.numbers("mean", p.mean, -1e6, 1e6);
  p.deviation = reader.numbers("std", p.deviation, 1e-6, 1e6);
  return p;
}

// What a file is known by its name to be.
ModelInfo released_info(const nn::ResNetV2Options& architecture, const std::string& where) {
  const auto [entry, weights] = released_in(where);
  if (!weights || entry->units != architecture.units || entry->width != architecture.width) return {};
  return {.preprocessing = {.mode = weights->tag.empty() ? "squash" : "shortest",
                            .size = weights->size,
                            .crop_fraction = weights->crop_fraction,
                            .interpolation = std::string(weights->interpolation)},
          .license = std::string(kReleasedLicense)};
}

}  // namespace

void require_names_for_classes(const std::vector<std::string>& names, int64_t num_classes, const std::string& where) {
  if (names.empty() || int64_t(names.size()) == num_classes) return;
  throw UserError(fmt::format("{}: {} class names for {} classes", where, names.size(), num_classes));
}

std::map<std::string, std::string> metadata_of(const ModelInfo& info, const nn::ResNetV2Options& architecture) {
  const Preprocessing& p = info.preprocessing;
  const Json options{{"units", architecture.units},
                     {"width", architecture.width},
                     {"num_classes", architecture.num_classes},
                     {"in_channels", architecture.in_channels},
                     {"groups", architecture.groups}};
  const Json preprocessing{{"mode", p.mode}, {"size", p.size},    {"crop_fraction", p.crop_fraction}, {"interpolation", p.interpolation},
                           {"mean", p.mean}, {"std", p.deviation}};
  std::map<std::string, std::string> metadata{
      {"format", "pt"}, {kModel, info.name}, {kOptions, options.dump()}, {kPreprocessing, preprocessing.dump()}};
  if (!info.classes.empty()) metadata.emplace(kClasses, Json(info.classes).dump());
  if (!info.license.empty()) metadata.emplace(kLicense, info.license);
  if (info.several_labels) metadata.emplace(kSeveralLabels, "true");
  return metadata;
}

ModelInfo info_of(const std::map<std::string, std::string>& metadata, const nn::ResNetV2Options& architecture, const std::string& where) {
  const auto value = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? nullptr : &found->second;
  };
  ModelInfo info = released_info(architecture, where);
  if (const auto* name = value(kModel)) info.name = *name;
  if (const auto* classes = value(kClasses)) info.classes = read_classes(*classes, where);
  if (const auto* preprocessing = value(kPreprocessing)) info.preprocessing = read_preprocessing(*preprocessing, info.preprocessing, where);
  if (const auto* license = value(kLicense)) info.license = *license;
  if (const auto* several = value(kSeveralLabels)) {
    if (*several != "true") refuse(where, kSeveralLabels, "can only be true");
    info.several_labels = true;
  }
  require_names_for_classes(info.classes, architecture.num_classes, where);
  return info;
}

int64_t groups_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where) {
  const auto found = metadata.find(kOptions);
  if (found == metadata.end()) return kGroups;
  const Json json = parse_json(found->second, fmt::format("{}: metadata {}", where, kOptions));
  if (!json.is_object()) refuse(where, kOptions, "not an object");
  if (!json.contains("groups")) return kGroups;
  const Json& groups = json.at("groups");
  if (!groups.is_number_integer() || groups.get<int64_t>() < 1 || groups.get<int64_t>() > kMostGroups)
    refuse(where, kOptions, "groups must be 1 to 4096");
  return groups.get<int64_t>();
}

}  // namespace zoo::bit
