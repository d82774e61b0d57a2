// zoo convert IN OUT --names ours|timm|official|hf: the same weights under other names, in the format of OUT's ending.
#include "apps/zoo/verbs.h"
#include <libzoo/bit/checkpoint.h>
#include <libzoo/io/lines.h>

namespace zoo::apps {

Json convert_file(const ConvertOptions& options, const Context& context) {
  if (context.arguments.size() != 2) throw UserError("convert takes two files", "zoo convert BiT-M-R50x1.npz bit.safetensors --names timm");
  bit::ConvertOptions how{.names = options.names, .license = options.license};
  if (!options.classes.empty()) how.classes = io::read_lines(options.classes);
  bit::convert(context.arguments[0], context.arguments[1], how);
  return {{"written", context.arguments[1]}, {"names", enum_name(options.names)}};
}

}  // namespace zoo::apps
