using System.Text.Json;

namespace Llava.EndToEndTests;

/// <summary><c>llava vqa</c> on LLaVA's question files (spec 8.1), and whether the shipped model's answers are right.</summary>
public sealed class VqaTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-vqa-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Answers_come_in_the_original_s_fields_one_line_per_question_in_order()
    {
        var questions = SceneFiles.WriteQuestions(_folder.FullName, 40);

        var run = await LlavaProcess.RunAsync(Path.Combine(_folder.FullName, "data"), "vqa", questions, "--max-new-tokens", "48");

        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.Equal(Enumerable.Range(0, 40), run.Lines.Select(line => Json(line).GetProperty("question_id").GetInt32()));
        Assert.All(run.Lines, line => Assert.Equal(
            ["question_id", "prompt", "text", "answer_id", "model_id", "metadata"], Json(line).EnumerateObject().Select(p => p.Name)));
        Assert.All(run.Lines, line => Assert.Equal(22, Json(line).GetProperty("answer_id").GetString()!.Length));
        Assert.Equal(40, run.Lines.Select(line => Json(line).GetProperty("answer_id").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Answers_are_scored_by_those_that_stand_beside_the_questions()
    {
        var questions = SceneFiles.WriteQuestions(_folder.FullName, 40);
        var data = Path.Combine(_folder.FullName, "data");

        var run = await LlavaProcess.RunAsync(data, "vqa", questions, "--expected", "answer", "--max-new-tokens", "96");
        var status = await LlavaProcess.RunAsync(data, "status", "--json");

        Assert.True(run.ExitCode == 0, run.Errors);
        var right = run.Lines.Zip(File.ReadLines(questions)).Count(pair => Json(pair.First).GetProperty("text").GetString() == Json(pair.Second).GetProperty("answer").GetString());
        Assert.InRange(right, 25, 40);
        Assert.Contains($"{right} of 40 answers are the expected ones", run.Errors, StringComparison.Ordinal);
        Assert.Equal(right, Json(status.Lines[0]).GetProperty("score").GetProperty("right").GetInt32());
    }

    private static JsonElement Json(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}
