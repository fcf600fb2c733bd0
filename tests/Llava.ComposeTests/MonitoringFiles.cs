using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Llava.Testing;

namespace Llava.ComposeTests;

/// <summary>The expressions of the board and of the alerts, with the name of what shows each.</summary>
internal static partial class MonitoringFiles
{
    // What Prometheus itself adds.
    private static readonly string[] Prometheus = ["up"];

    public static JsonObject Board { get; } = JsonNode.Parse(File.ReadAllText(Repository.Path("compose", "grafana", "dashboards", "llava.json")))!.AsObject();

    public static IReadOnlyList<(string Name, string Expression)> Panels { get; } =
    [
        .. from panel in Board["panels"]!.AsArray()
           from target in panel!["targets"]!.AsArray()
           select (panel["title"]!.ToString(), target!["expr"]!.ToString()),
    ];

    public static IReadOnlyList<(string Name, string Expression)> Alerts { get; } =
    [
        .. from @group in ComposeFile.Load(Path.Combine("prometheus", "alerts.yml")).Root["groups"]!.AsArray()
           from rule in @group!["rules"]!.AsArray()
           select (rule!["alert"]!.ToString(), rule["expr"]!.ToString()),
    ];

    /// <summary>Metrics that an expression names: words outside of braces, brackets, label lists and quotes that are no function.</summary>
    public static IEnumerable<string> MetricsOf(string expression)
    {
        var bare = LabelLists().Replace(Selectors().Replace(expression, " "), " ");
        return Words().Matches(bare).Select(word => word.Value).Except(Prometheus).Distinct();
    }

    /// <summary>Labels that an expression names.</summary>
    public static IEnumerable<string> LabelsOf(string expression) => Labels().Matches(expression).Select(label => label.Value)
        .Concat(LabelLists().Matches(expression).SelectMany(list => list.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
        .Distinct();

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]|""[^""]*""")]
    private static partial Regex Selectors();

    [GeneratedRegex(@"\b(by|on|without)\s*\((?<labels>[^)]*)\)")]
    private static partial Regex LabelLists();

    [GeneratedRegex(@"\b[a-zA-Z_:][\w:]*\b(?!\s*\()(?<!\b(and|or|unless|by|on))")]
    private static partial Regex Words();

    [GeneratedRegex(@"(?<=[{,]\s*)\w+(?=(=~|!~|!=|=))")]
    private static partial Regex Labels();
}
