// The verbs of `zoo`, one file each.
#pragma once

#include "apps/common/program.h"
#include <libzoo/bit/names.h>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace zoo::apps {

struct ListOptions {};
template <class Field>
void fields(Field&, ListOptions&) {}
Json list_models(const ListOptions& options, const Context& context);

struct DescribeOptions {
  bool tensors = false;
};
template <class Field>
void fields(Field& field, DescribeOptions& o) {
  field("tensors", o.tensors, "list every tensor with type, shape, mean, spread and extremes");
}
Json describe_file(const DescribeOptions& options, const Context& context);

struct ConvertOptions {
  bit::Naming names = bit::Naming::ours;
};
template <class Field>
void fields(Field& field, ConvertOptions& o) {
  field("names", o.names, "whose tensor names to write");
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
