// The part of Jinja that Timeloop's files use: a file becomes a YAML tree, with what it includes.
//
//   {{include('arch.yaml', 'architecture')}}  {{include_all('components/*.yaml', 'a.b')}}  {{include_text('base.yaml')}}
//   {{add_to_path('inputs')}}  {{cwd()}}  {{find_path('a.yaml')}}  {{path_exists('a.yaml')}}  {{name | default(8)}}
//   {% set name = ... %}  {% if ... %} {% elif ... %} {% else %} {% endif %}  {# comment #}
//
// Loops, macros and filters but `default` are refused by name. Files are looked for beside the file that names them, then in
// what add_to_path() added.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "host/timeloop/yaml_tree.hpp"

namespace exarch::timeloop {

// What names that no `set` defines stand for: {"architecture", "eyeriss_like"}. Values that look like numbers, or are true or
// false, are that.
using TemplateValues = std::map<std::string, std::string>;

// Error with file and line.
[[nodiscard]] YamlNode load_yaml(const std::filesystem::path& path, const TemplateValues& values);

}  // namespace exarch::timeloop
