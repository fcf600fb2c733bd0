using Llava.Cli.Jobs;
using Llava.Contracts.Requests;

namespace Llava.Cli.Tests.Jobs;

/// <summary>The same command over the same files finds its job again; anything else makes a new one.</summary>
public sealed class JobKeyTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-key-");

    public JobKeyTests() => File.WriteAllText(Path.Combine(_folder.FullName, "a.png"), "a");

    private JobRequest Request => new() { Model = "m", Prompt = "p", Source = new SourceDescription { Kind = SourceKind.Folder, Path = _folder.FullName } };

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_same_request_has_the_same_key() => Assert.Equal(JobKey.Of(Request), JobKey.Of(Request));

    [Fact]
    public void Another_prompt_or_setting_has_another_key() => Assert.Equal(
        3,
        new[] { Request, Request with { Prompt = "q" }, Request with { Generation = new GenerationSettings { MaxNewTokens = 5 } } }.Select(JobKey.Of).Distinct().Count());

    [Fact]
    public void A_new_file_makes_another_key()
    {
        var before = JobKey.Of(Request);
        File.WriteAllText(Path.Combine(_folder.FullName, "b.png"), "b");

        Assert.NotEqual(before, JobKey.Of(Request));
    }
}
