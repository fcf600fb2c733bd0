using System.Text.RegularExpressions;
using Llava.Testing;

namespace Llava.ArchitectureTests;

/// <summary>Log lines can be told apart by their event ids (CONTRIBUTING.md).</summary>
public sealed partial class LogRuleTests
{
    private static readonly Dictionary<string, int[]> Ranges = new()
    {
        ["Llava.ModelCore"] = [1, 6],
        ["Llava.Ledger"] = [2],
        ["Llava.GpuConsumer"] = [3],
        ["Llava.Scheduler"] = [4],
        ["Llava.Dashboard"] = [5],
    };

    private static readonly (string File, int Id)[] Events =
    [
        .. from file in SourceFiles.Below(SourceFiles.Folder)
           from Match match in Event().Matches(File.ReadAllText(file))
           select (SourceFiles.Relative(file), int.Parse(match.Groups["id"].Value, null)),
    ];

    [Fact]
    public void No_two_log_methods_share_an_event_id()
    {
        Assert.NotEmpty(Events);
        Assert.Empty(Events.GroupBy(one => one.Id).Where(same => same.Count() > 1).Select(same => $"{same.Key}: {string.Join(", ", same.Select(one => one.File))}"));
    }

    [Fact]
    public void Event_ids_lie_in_the_range_of_their_project() => Assert.All(Events, one =>
        Assert.True(Ranges.GetValueOrDefault(one.File.Split('/')[1], []).Contains(one.Id / 1000) && one.Id < 10_000, $"{one.File} logs event {one.Id}."));

    [Fact]
    public void Every_log_method_has_an_event_id_and_nothing_logs_without_one()
    {
        Assert.Equal(SourceFiles.Below(SourceFiles.Folder).Sum(file => Attribute().Count(File.ReadAllText(file))), Events.Length);
        Assert.Empty(SourceFiles.Below(SourceFiles.Folder).Where(file => Direct().IsMatch(File.ReadAllText(file))).Select(SourceFiles.Relative));
    }

    [Fact]
    public void The_ranges_are_those_of_the_house_rules()
    {
        var rule = File.ReadLines(Repository.Path("CONTRIBUTING.md")).Single(line => line.Contains("event ids", StringComparison.Ordinal));

        Assert.Equal([1, 2, 3, 4, 5, 6], Range().Matches(rule).Select(match => int.Parse(match.Groups["thousand"].Value, null)));
        Assert.Equal([1, 2, 3, 4, 5, 6], Ranges.Values.SelectMany(range => range).Order());
    }

    [GeneratedRegex(@"\[LoggerMessage\((EventId\s*=\s*)?(?<id>\d+)\s*,")]
    private static partial Regex Event();

    [GeneratedRegex(@"\[LoggerMessage\b")]
    private static partial Regex Attribute();

    [GeneratedRegex(@"(?<!Math)\.Log(Trace|Debug|Information|Warning|Error|Critical)?\(")]
    private static partial Regex Direct();

    [GeneratedRegex(@"\b(?<thousand>\d)xxx\b")]
    private static partial Regex Range();
}
