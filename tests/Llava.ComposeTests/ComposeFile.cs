using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Llava.Testing;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Llava.ComposeTests;

/// <summary>A Compose file as Compose reads it: anchors merged and variables put in.</summary>
internal sealed partial class ComposeFile
{
    private ComposeFile(string text, JsonObject root) => (Text, Root) = (text, root);

    /// <summary>The file as it is written.</summary>
    public string Text { get; }

    public JsonObject Root { get; }

    public JsonObject Services => Root["services"]!.AsObject();

    /// <summary>Variables that the caller may set.</summary>
    public IEnumerable<string> Variables => Variable().Matches(Text).Select(match => match.Groups["name"].Value).Distinct();

    /// <param name="name">File in <c>compose/</c>.</param>
    /// <param name="variables">What the caller's environment says.</param>
    public static ComposeFile Load(string name, IReadOnlyDictionary<string, string>? variables = null)
    {
        var text = File.ReadAllText(Repository.Path("compose", name));
        var value = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build()
            .Deserialize<object>(new MergingParser(new Parser(new StringReader(text))));
        return new(text, ToJson(value, variables ?? new Dictionary<string, string>())!.AsObject());
    }

    /// <summary>A service's variables.</summary>
    public IReadOnlyDictionary<string, string> EnvironmentOf(string service) =>
        Services[service]!["environment"]?.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value!.ToString()) ?? [];

    /// <summary>A list of a service, such as its command.</summary>
    public string[] ListOf(string service, string key) => Services[service]![key]?.AsArray().Select(one => one!.ToString()).ToArray() ?? [];

    private static JsonNode? ToJson(object? value, IReadOnlyDictionary<string, string> variables) => value switch
    {
        null => null,
        IDictionary<object, object> map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key.ToString()!, ToJson(pair.Value, variables)))),
        IEnumerable<object> list => new JsonArray([.. list.Select(one => ToJson(one, variables))]),
        string text => Variable().Replace(text, match => variables.GetValueOrDefault(match.Groups["name"].Value, match.Groups["default"].Value)),
        _ => JsonNode.Parse(JsonSerializer.Serialize(value, value.GetType())),
    };

    // ${NAME}, ${NAME:-default} and ${NAME:?what to do}
    [GeneratedRegex(@"\$\{(?<name>\w+)(:-(?<default>[^}]*)|:\?[^}]*)?\}")]
    private static partial Regex Variable();
}
