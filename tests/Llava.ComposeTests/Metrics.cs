using System.Globalization;
using System.Text.RegularExpressions;

namespace Llava.ComposeTests;

/// <summary>One answer of <c>/metrics</c>.</summary>
internal sealed partial class Metrics
{
    private Metrics(IReadOnlyList<Series> all) => All = all;

    public IReadOnlyList<Series> All { get; }

    public static Metrics Read(string text) => new(
    [
        .. text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => Line().Match(line)).Select(match => new Series(
            match.Groups["name"].Value,
            Label().Matches(match.Groups["labels"].Value).ToDictionary(label => label.Groups["name"].Value, label => label.Groups["value"].Value),
            double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture))),
    ]);

    /// <summary>The sum of the series of this name whose labels have these values.</summary>
    public double Sum(string name, params (string Name, string Value)[] labels) =>
        All.Where(series => series.Name == name && labels.All(label => series.Labels.GetValueOrDefault(label.Name) == label.Value)).Sum(series => series.Value);

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][\w:]*)(\{(?<labels>.*)\})? (?<value>\S+)( \d+)?$")]
    private static partial Regex Line();

    [GeneratedRegex(@"(?<name>\w+)=""(?<value>([^""\\]|\\.)*)""")]
    private static partial Regex Label();

    internal sealed record Series(string Name, IReadOnlyDictionary<string, string> Labels, double Value);
}
