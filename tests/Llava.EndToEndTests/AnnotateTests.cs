using System.Text.Json;
using Llava.Testing;

namespace Llava.EndToEndTests;

/// <summary><c>llava annotate</c> as a user types it.</summary>
public sealed class AnnotateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-annotate-");

    private string Images => Path.Combine(_folder.FullName, "images");

    private string Data => Path.Combine(_folder.FullName, "data");

    public AnnotateTests() => SceneFiles.WriteImages(Images, 12);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_folder_becomes_one_line_per_image_in_the_order_of_names()
    {
        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48");

        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.Equal(Directory.GetFiles(Images).Select(Path.GetFileName).Order(StringComparer.Ordinal), run.Lines.Select(l => Text(l, "custom_id")));
        Assert.All(run.Lines, line => Assert.NotEmpty(Text(line, "text")));
    }

    [Fact]
    public async Task Answers_are_one_of_the_choices_with_a_confidence_or_valid_for_a_schema()
    {
        var chosen = await LlavaProcess.RunAsync(Data, "annotate", Images, "--prompt", "How many objects are there?", "--choices", "1,2,3,4");
        var schema = Path.Combine(_folder.FullName, "schema.json");
        await File.WriteAllTextAsync(schema, """{"type":"object","properties":{"n":{"type":"integer","minimum":0,"maximum":9}},"required":["n"]}""");
        var shaped = await LlavaProcess.RunAsync(Data, "annotate", Images, "--prompt", "How many objects are there?", "--json-schema", schema);

        Assert.True(chosen.ExitCode == 0 && shaped.ExitCode == 0, chosen.Errors + shaped.Errors);
        Assert.All(chosen.Lines, line => Assert.Contains(Text(line, "text"), new[] { "1", "2", "3", "4" }));
        Assert.All(chosen.Lines, line => Assert.InRange(JsonDocument.Parse(line).RootElement.GetProperty("confidence").GetDouble(), 0.25, 1));
        Assert.All(shaped.Lines, line => Assert.InRange(JsonElement.Parse(Text(line, "text")).GetProperty("n").GetInt32(), 0, 9));
    }

    [Fact]
    public async Task A_sample_stops_with_an_estimate_and_the_same_command_without_it_does_the_rest()
    {
        string[] command = ["annotate", Images, "--max-new-tokens", "16"];
        var sample = await LlavaProcess.RunAsync(Data, [.. command, "--sample", "3"]);
        var again = await LlavaProcess.RunAsync(Data, [.. command, "--sample", "3"]);
        var estimate = await LlavaProcess.RunAsync(Data, "estimate", Images, "--json");
        var rest = await LlavaProcess.RunAsync(Data, command);
        var after = await LlavaProcess.RunAsync(Data, "estimate", Images, "--json");

        Assert.True(sample.ExitCode == 0 && again.ExitCode == 0 && estimate.ExitCode == 0 && rest.ExitCode == 0, sample.Errors + again.Errors + estimate.Errors + rest.Errors);
        Assert.Equal(3, sample.Lines.Count);
        Assert.Equal(sample.Lines, again.Lines);
        Assert.Contains("items    9", sample.Errors, StringComparison.Ordinal);
        Assert.Contains("time", sample.Errors, StringComparison.Ordinal);
        Assert.Contains("images", sample.Errors, StringComparison.Ordinal);
        // What the sample answered stands as it was.
        Assert.Equal(12, rest.Lines.Count);
        Assert.Subset(rest.Lines.ToHashSet(), sample.Lines.ToHashSet());
        Assert.Contains("was begun before; 3 items are done", rest.Errors, StringComparison.Ordinal);
        var (before, then) = (JsonElement.Parse(estimate.Lines[0]), JsonElement.Parse(after.Lines[0]));
        Assert.Equal(("none", 12, "past_jobs"), (before.GetProperty("basis").GetString(), before.GetProperty("items").GetInt32(), then.GetProperty("basis").GetString()));
        Assert.True(before.GetProperty("prompt_tokens").GetProperty("mean").GetDouble() > 1);
        Assert.True(then.GetProperty("seconds").GetDouble() > 0);
    }

    [Fact]
    public async Task A_schema_that_is_not_supported_is_refused_before_any_work()
    {
        var schema = Path.Combine(_folder.FullName, "schema.json");
        await File.WriteAllTextAsync(schema, """{"properties":{"a":{"not":{}}}}""");
        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--json-schema", schema);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("#/properties/a/not", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_image_fails_alone_with_a_code_and_the_exit_code_says_so()
    {
        await File.WriteAllBytesAsync(Path.Combine(Images, "a-empty.png"), []);
        await File.WriteAllTextAsync(Path.Combine(Images, "b-text.jpg"), "this is no image");
        await File.WriteAllBytesAsync(Path.Combine(Images, "c-cut.png"), (await File.ReadAllBytesAsync(Directory.GetFiles(Images, "scene-*")[0]))[..200]);

        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal(["image_empty", "image_format_unsupported", "image_unreadable"], run.Lines.Take(3).Select(ErrorCode));
        Assert.Equal(12, run.Lines.Count(line => Text(line, "outcome") == "succeeded"));
    }

    [Fact]
    public async Task Equal_images_are_answered_once_and_a_later_job_is_answered_from_the_cache()
    {
        File.Copy(Path.Combine(Images, "scene-0000.png"), Path.Combine(Images, "z-copy.png"));
        var list = Path.Combine(Images, "list.txt");
        await File.WriteAllLinesAsync(list, ["scene-0003.png", "scene-0001.png"]);

        var first = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48", "--cache");
        var second = await LlavaProcess.RunAsync(Data, "annotate", list, "--max-new-tokens", "48", "--cache");

        Assert.True(first.ExitCode == 0 && second.ExitCode == 0, first.Errors + second.Errors);
        Assert.Equal(0, JsonDocument.Parse(first.Lines[^1]).RootElement.GetProperty("copied_from").GetInt32());
        Assert.Equal(Text(first.Lines[0], "text"), Text(first.Lines[^1], "text"));
        Assert.All(first.Lines.SkipLast(1), line => Assert.DoesNotContain("copied_from", line, StringComparison.Ordinal));
        Assert.Equal([Text(first.Lines[3], "text"), Text(first.Lines[1], "text")], second.Lines.Select(line => Text(line, "text")));
        Assert.All(second.Lines, line => Assert.Contains("\"cached\":true", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_timeline_of_an_answer_has_every_step_in_order()
    {
        await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48");
        var job = Text(Assert.Single((await LlavaProcess.RunAsync(Data, "status", "--json")).Lines), "id");

        var run = await LlavaProcess.RunAsync(Data, "results", job, "--format", "timeline");

        Assert.Equal(12, run.Lines.Count);
        Assert.All(run.Lines, line =>
        {
            var timeline = JsonDocument.Parse(line).RootElement.GetProperty("timeline");
            long[] steps = [.. ((string[])["queued_ms", "prepared_ms", "prefill_ms", "first_token_ms", "last_token_ms", "written_ms"]).Select(step => timeline.GetProperty(step).GetInt64())];
            Assert.Equal(steps.Order(), steps);
            Assert.InRange(steps[0], long.MinValue, 0);
            Assert.True(steps[3] > steps[1] && steps[4] > steps[3], line); // reading the prompt and generating take time
        });
    }

    [Fact]
    public async Task A_bad_line_and_a_path_outside_the_folder_fail_alone_and_name_the_line()
    {
        var manifest = Path.Combine(Images, "list.jsonl");
        await File.WriteAllLinesAsync(manifest, ["""{"image": "scene-0000.png"}""", "{nonsense", """{"image": "../../../etc/passwd"}""", """{"image": "missing.png"}"""]);

        var run = await LlavaProcess.RunAsync(Data, "annotate", manifest, "--max-new-tokens", "48");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal("succeeded", Text(run.Lines[0], "outcome"));
        Assert.Equal(["invalid_line", "path_not_allowed", "image_not_found"], run.Lines.Skip(1).Select(ErrorCode));
        Assert.Contains("Line 2", run.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_the_command_and_the_same_command_goes_on()
    {
        SceneFiles.WriteImages(Images, 400);
        string[] command = ["annotate", Images, "--max-new-tokens", "48"];
        using var interrupted = LlavaProcess.Start(Data, command);
        while (!(await LlavaProcess.RunAsync(Data, "status", "--json")).Output.Contains("\"state\":\"running\"", StringComparison.Ordinal))
        {
            await Task.Delay(50);
        }

        await interrupted.InterruptAsync();
        var first = await interrupted.FinishAsync();
        var second = await LlavaProcess.RunAsync(Data, command);

        Assert.True(first.ExitCode == 3 && first.Errors.Contains("Stopped. The same command continues", StringComparison.Ordinal), first.Errors);
        Assert.True(second.ExitCode == 0 && second.Errors.Contains("was begun before", StringComparison.Ordinal), second.Errors);
        Assert.Equal(400, second.Lines.Count);
    }

    [Fact]
    public async Task The_same_command_again_answers_from_the_ledger()
    {
        var first = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48");
        var second = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48");

        Assert.Equal(first.Output, second.Output);
        Assert.Contains("12 items are done", second.Errors, StringComparison.Ordinal);
        Assert.Single((await LlavaProcess.RunAsync(Data, "status", "--json")).Lines);
    }

    [Theory]
    [InlineData("captions.csv", "custom_id,image,prompt,text")]
    [InlineData("captions.jsonl", "{\"custom_id\":\"scene-0000.png\"")]
    public async Task The_name_of_the_output_decides_its_format(string name, string start)
    {
        var file = Path.Combine(_folder.FullName, name);

        var run = await LlavaProcess.RunAsync(Data, "annotate", Path.Combine(Images, "scene-000*.png"), "--max-new-tokens", "48", "--out", file);

        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.StartsWith(start, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_folder_as_output_gets_one_text_per_image()
    {
        var texts = Path.Combine(_folder.FullName, "texts");

        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48", "--out", texts);

        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.Equal(
            Directory.GetFiles(Images).Select(f => Path.GetFileNameWithoutExtension(f) + ".txt").Order(StringComparer.Ordinal),
            Directory.GetFiles(texts).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(2, "neither a folder nor a file", "annotate", "no-such-folder")]
    [InlineData(2, "There is no model 'no-such-model'", "annotate", "samples", "--model", "no-such-model")]
    [InlineData(2, "temperature", "annotate", "samples", "--temperature", "-1")]
    [InlineData(2, "not a job id", "results", "nonsense")]
    [InlineData(3, "There is no job", "results", "job_38g6s4b3k6gmq")]
    [InlineData(2, "Unrecognized", "annotate", "samples", "--no-such-option")]
    public async Task What_is_mistyped_gets_a_sentence_and_an_exit_code(int exitCode, string sentence, params string[] arguments)
    {
        var run = await LlavaProcess.RunAsync(Data, arguments);

        Assert.Contains(sentence, run.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_template_fails_the_items_and_lists_those_there_are()
    {
        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--conv-mode", "vicuna_v9");

        Assert.Equal(1, run.ExitCode);
        Assert.All(run.Lines, line => Assert.Equal("invalid_prompt", ErrorCode(line)));
        Assert.Contains("vicuna_v1", run.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_checkpoint_names_the_file_and_ends_with_code_3()
    {
        var model = Path.Combine(_folder.FullName, "broken");
        CopyFolder(Repository.Path("models", "llava-scenes"), model);
        var weights = Path.Combine(model, "model.safetensors");
        await File.WriteAllBytesAsync(weights, (await File.ReadAllBytesAsync(weights))[..^1000]);

        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--model", model);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("model.safetensors", run.Errors, StringComparison.Ordinal);
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static string Text(string line, string field)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty(field).GetString()!;
    }

    private static string ErrorCode(string line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("error").GetProperty("code").GetString()!;
    }
}
