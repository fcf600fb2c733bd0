using System.Text.Json;
using Xunit.Abstractions;

namespace Llava.EndToEndTests;

/// <summary>kill -9 at any moment, the same command again: every item exactly once, with the text it would have had undisturbed.</summary>
public sealed class KilledJobTests(ITestOutputHelper output) : IDisposable
{
    private const int Items = 2_000;
    private const int Kills = 20;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-killed-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_job_killed_twenty_times_ends_with_every_item_once_and_the_undisturbed_texts()
    {
        var questions = SceneFiles.WriteQuestions(_folder.FullName, Items);
        var started = TimeProvider.System.GetTimestamp();
        var undisturbed = await AnswersAsync("undisturbed", questions);
        var whole = TimeProvider.System.GetElapsedTime(started);
        Assert.Equal(Items, undisturbed.Count);

        var killed = await KillRepeatedlyAsync(questions, whole);
        var disturbed = await AnswersAsync("disturbed", questions);

        output.WriteLine($"{killed} kills; an undisturbed run took {whole.TotalSeconds:0.0} s");
        Assert.Equal(Kills, killed);
        Assert.Equal(Items, disturbed.Count);
        Assert.Equal(Items, disturbed.Select(a => a.Id).Distinct().Count());
        Assert.Equal(undisturbed, disturbed);
    }

    private async Task<int> KillRepeatedlyAsync(string questions, TimeSpan whole)
    {
        // Half of the undisturbed time in all, start-up included, so that the job is not over before the last kill
        // even where the undisturbed run shared the machine and this one does not.
        var random = new Random(20);
        var share = whole / Kills;
        var killed = 0;
        for (var i = 0; i < Kills; i++)
        {
            using var process = LlavaProcess.Start(Data("disturbed"), Command(questions, "killed.jsonl"));
            killed += await process.KillAfterAsync(share * (0.2 + (0.6 * random.NextDouble()))) ? 1 : 0;
        }

        return killed;
    }

    private async Task<List<(string Id, string Text)>> AnswersAsync(string data, string questions)
    {
        var file = Path.Combine(_folder.FullName, data + ".jsonl");
        var run = await LlavaProcess.RunAsync(Data(data), Command(questions, file));
        Assert.True(run.ExitCode == 0, run.Errors);
        return [.. File.ReadLines(file).Select(Answer)];
    }

    private string[] Command(string questions, string output) =>
        ["vqa", questions, "--images", _folder.FullName, "--max-new-tokens", "48", "--out", Path.Combine(_folder.FullName, output)];

    private string Data(string name) => Path.Combine(_folder.FullName, "data-" + name);

    private static (string Id, string Text) Answer(string line)
    {
        using var json = JsonDocument.Parse(line);
        return (json.RootElement.GetProperty("question_id").ToString(), json.RootElement.GetProperty("text").GetString()!);
    }
}
