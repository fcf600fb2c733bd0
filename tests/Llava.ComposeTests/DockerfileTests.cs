using System.Text.RegularExpressions;
using System.Xml.Linq;
using Llava.Testing;

namespace Llava.ComposeTests;

public sealed partial class DockerfileTests
{
    private static readonly string[] Words = ["FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD", "ARG", "LABEL", "STOPSIGNAL"];

    private readonly Dockerfile _file = Dockerfile.Load();

    [Fact]
    public void Every_instruction_is_one() => Assert.All(_file.Instructions, one => Assert.Contains(one.Word, Words));

    [Fact]
    public void Stages_have_names_and_start_from_a_pinned_image_or_an_earlier_stage()
    {
        HashSet<string> stages = [];
        foreach (var from in _file.Instructions.Where(one => one.Word == "FROM"))
        {
            var parts = Stage().Match(from.Arguments);
            Assert.True(parts.Success, from.Arguments);
            Assert.True(stages.Contains(parts.Groups["image"].Value) || Pinned().IsMatch(parts.Groups["image"].Value), $"'{from.Arguments}' floats");
            Assert.True(stages.Add(parts.Groups["name"].Value));
        }

        Assert.All(_file.Instructions.Where(one => one.Word == "COPY" && one.Arguments.StartsWith("--from=", StringComparison.Ordinal)), copy =>
            Assert.Contains(copy.Arguments.Split(' ')[0]["--from=".Length..], stages));
    }

    [Fact]
    public void The_image_runs_as_a_number_that_is_not_root() => Assert.Matches(@"^[1-9]\d{3,}:[1-9]\d{3,}$", _file.Only("USER"));

    [Fact]
    public void The_health_check_and_the_program_need_no_shell()
    {
        Assert.Equal("/app/llava", Dockerfile.Command(_file.Only("HEALTHCHECK"))[0]);
        Assert.Equal(["/app/llava"], Dockerfile.Command(_file.Only("ENTRYPOINT")));
    }

    [Fact]
    public void What_is_copied_from_the_context_is_there_and_sent()
    {
        var sent = File.ReadAllLines(Repository.Path("compose", "Dockerfile.dockerignore")).Where(line => line.StartsWith('!')).Select(line => line[1..]).ToList();
        var sources = _file.Instructions.Where(one => one.Word == "COPY" && !one.Arguments.StartsWith("--", StringComparison.Ordinal)).SelectMany(one => one.Arguments.Split(' ')[..^1]).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, source =>
        {
            Assert.True(Path.Exists(Repository.Path(source)), source);
            Assert.Contains(source.Split('/')[0], sent);
        });
        Assert.All(sent, path => Assert.Contains(sources, source => source.Split('/')[0] == path));
    }

    /// <summary>The layer of packages holds every project that the program references, and nothing that changes with the sources.</summary>
    [Fact]
    public void Packages_are_restored_before_sources_are_copied()
    {
        var before = _file.Instructions.TakeWhile(one => !one.Arguments.StartsWith("dotnet restore", StringComparison.Ordinal)).Where(one => one.Word == "COPY").SelectMany(one => one.Arguments.Split(' ')[..^1]).ToList();
        HashSet<string> projects = [];
        Collect(Repository.Path("src", "Llava.Cli", "Llava.Cli.csproj"));

        Assert.Equal(projects.Order(), before.Where(source => source.EndsWith(".csproj", StringComparison.Ordinal)).Order());
        Assert.DoesNotContain("src", before);

        void Collect(string project)
        {
            if (projects.Add(Path.GetRelativePath(Repository.Root, project)))
            {
                foreach (var reference in XDocument.Load(project).Descendants("ProjectReference"))
                {
                    Collect(Path.GetFullPath(reference.Attribute("Include")!.Value, Path.GetDirectoryName(project)!));
                }
            }
        }
    }

    [GeneratedRegex(@"^(?<image>\S+) AS (?<name>[a-z]+)$")]
    private static partial Regex Stage();

    [GeneratedRegex(@":\d+\.\d+\.\d+[\w.-]*$")]
    private static partial Regex Pinned();
}
