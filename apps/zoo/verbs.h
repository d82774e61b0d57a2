// The verbs of `zoo`, one file each, and what they share.
#pragma once

#include "apps/common/program.h"
#include <libzoo/bit/names.h>
#include <libzoo/nn/res_net_v2.h>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace zoo::apps {

// For which the costs of a network are told.
struct CostOptions {
  int64_t resolution = 224;
  int64_t batch_size = 32;
};
template <class Field>
void fields(Field& field, CostOptions& o) {
  field("resolution", o.resolution, "pixels, square, for which multiply-adds and memory are told", between(1, 4096));
  field("batch_size", o.batch_size, "pictures of the training step whose memory is told", between(1, 1 << 20));
}

// {parameters, "GMAC at 224", "training GB, 32 at 224"}
Json costs(const nn::ResNetV2Options& architecture, const CostOptions& options);

struct ListOptions : CostOptions {};
template <class Field>
void fields(Field& field, ListOptions& o) {
  fields(field, static_cast<CostOptions&>(o));
}
Json list_models(const ListOptions& options, const Context& context);

struct DescribeOptions : CostOptions {
  bool tensors = false;
};
template <class Field>
void fields(Field& field, DescribeOptions& o) {
  fields(field, static_cast<CostOptions&>(o));
  field("tensors", o.tensors, "list every tensor with type, shape, mean, spread and extremes");
}
Json describe(const DescribeOptions& options, const Context& context);

struct ConvertOptions {
  bit::Naming names = bit::Naming::ours;
  std::filesystem::path classes;
  std::string license;
};
template <class Field>
void fields(Field& field, ConvertOptions& o) {
  field("names", o.names, "whose tensor names to write");
  field("classes", o.classes, "text file with the names of the classes, one a line, for the metadata of a safetensors file",
        existing_file());
  field("license", o.license, "SPDX name of the weights' licence, for the same");
}
Json convert_file(const ConvertOptions& options, const Context& context);

struct DoctorOptions {
  double seconds = 1;
};
template <class Field>
void fields(Field& field, DoctorOptions& o) {
  field("seconds", o.seconds, "how long to measure", between(0.1, 60.0));
}
Json doctor(const DoctorOptions& options, const Context& context);

struct DocsOptions {};
template <class Field>
void fields(Field&, DocsOptions&) {}
Json print_docs(const DocsOptions& options, const Context& context);

}  // namespace zoo::apps
