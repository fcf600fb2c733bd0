using System.Xml.Linq;
using Llava.Testing;

namespace Llava.ArchitectureTests;

/// <summary>Direction between projects: references point to a lower level only (docs/flow.md).</summary>
public sealed class ProjectMapTests
{
    private static readonly Dictionary<string, string[]> Map = new()
    {
        ["Llava.Contracts"] = [],
        ["Llava.ModelCore"] = [],
        ["Llava.Hosting"] = [],
        ["Llava.Ledger"] = ["Llava.Contracts"],
        ["Llava.GpuConsumer"] = ["Llava.Contracts", "Llava.Hosting", "Llava.Ledger", "Llava.ModelCore"],
        ["Llava.Scheduler"] = ["Llava.Contracts", "Llava.Hosting", "Llava.Ledger"],
        ["Llava.Dashboard"] = ["Llava.Contracts", "Llava.Hosting", "Llava.Ledger"],
        ["Llava.Cli"] = ["Llava.Contracts", "Llava.Dashboard", "Llava.GpuConsumer", "Llava.Hosting", "Llava.Ledger", "Llava.ModelCore", "Llava.Scheduler"],
    };

    /// <summary>Packages that must never be seen by a project, directly or through its own code.</summary>
    private static readonly Dictionary<string, string[]> Banned = new()
    {
        ["Llava.Contracts"] = [""],
        ["Llava.ModelCore"] = ["MassTransit", "Microsoft.EntityFrameworkCore", "Npgsql", "Hangfire", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Configuration", "Microsoft.AspNetCore"],
        ["Llava.Ledger"] = ["TorchSharp", "Hangfire", "MassTransit"],
        ["Llava.Scheduler"] = ["TorchSharp"],
        ["Llava.Dashboard"] = ["TorchSharp", "MassTransit"],
        ["Llava.GpuConsumer"] = ["Hangfire"],
    };

    [Fact]
    public void Every_project_is_on_the_map_and_references_exactly_what_it_says()
    {
        var found = Projects().ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => Referenced(f, "ProjectReference"));

        Assert.Equal(Map.Keys.Order(), found.Keys.Order());
        Assert.All(Map, m => Assert.Equal(m.Value.Order(), found[m.Key].Order()));
    }

    [Fact]
    public void No_project_asks_for_a_package_that_its_level_may_not_see() => Assert.All(Projects(), project =>
    {
        var name = Path.GetFileNameWithoutExtension(project);
        var banned = Banned.GetValueOrDefault(name, []);
        Assert.DoesNotContain(Referenced(project, "PackageReference"), p => banned.Any(b => p.StartsWith(b, StringComparison.Ordinal)));
    });

    [Fact]
    public void MassTransit_stays_on_its_free_major_version()
    {
        var versions = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion")
            .Where(p => p.Attribute("Include")!.Value.StartsWith("MassTransit", StringComparison.Ordinal))
            .Select(p => p.Attribute("Version")!.Value).ToArray();

        Assert.NotEmpty(versions);
        Assert.All(versions, v => Assert.StartsWith("[8.", v, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Projects() =>
        Directory.EnumerateFiles(SourceFiles.Folder, "*.csproj", SearchOption.AllDirectories);

    private static string[] Referenced(string project, string kind) => [.. XDocument.Load(project).Descendants(kind)
        .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')) is var name && kind == "PackageReference"
            ? r.Attribute("Include")!.Value
            : name)];
}
