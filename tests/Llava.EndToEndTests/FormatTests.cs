using System.Diagnostics;
using System.Text.Json;

namespace Llava.EndToEndTests;

/// <summary>The same images through other sources and into other formats (docs/formats.md).</summary>
public sealed class FormatTests : IDisposable
{
    private static readonly string[] Names = ["scene-0000", "scene-0001", "scene-0002"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-formats-");

    private string Images => In("images");

    public FormatTests() => SceneFiles.WriteImages(Images, Names.Length);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_image_is_answered_alike_from_a_folder_an_archive_and_a_batch_file()
    {
        using (var tar = Process.Start("tar", ["-C", Images, "-cf", In("shard.tar"), .. Names.Select(name => $"{name}.png")]))
        {
            await tar.WaitForExitAsync();
        }

        await File.WriteAllLinesAsync(In("batch.jsonl"), Names.Select(BatchLine));

        var folder = await TextsAsync(Images);
        Assert.Equal(Names.Length, folder.Count);
        Assert.All(folder, text => Assert.NotEmpty(text));
        Assert.Equal(folder, await TextsAsync(In("shard.tar")));
        Assert.Equal(folder, await TextsAsync(In("batch.jsonl")));
    }

    [Fact]
    public async Task Prompts_are_filled_in_from_the_rows_and_each_is_asked_of_each_image()
    {
        await File.WriteAllLinesAsync(In("items.csv"), ["id,image,colour", .. Names.Select((name, i) => $"{i},images/{name}.png,{(i == 0 ? "red" : "blue")}")]);

        var run = await LlavaProcess.RunAsync(In("data"), "annotate", In("items.csv"), "--prompt", "Is there a {colour} circle?", "--prompt", "Describe this image.", "--max-new-tokens", "16");

        Assert.True(run.ExitCode == 0, run.Errors);
        Assert.Equal(["0#1", "0#2", "1#1", "1#2", "2#1", "2#2"], run.Lines.Select(line => Text(line, "custom_id")));
        Assert.Equal(["Is there a red circle?", "Describe this image.", "Is there a blue circle?"], run.Lines.Take(3).Select(line => Text(line, "prompt")));
    }

    [Fact]
    public async Task A_strict_job_with_a_bad_row_does_nothing_and_says_where()
    {
        await File.WriteAllLinesAsync(In("items.csv"), ["id,image", "1,images/scene-0000.png", "1,images/scene-0001.png", "3,images/none.png"]);

        var run = await LlavaProcess.RunAsync(In("data"), "annotate", In("items.csv"), "--strict", "--out", In("out.jsonl"));

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("2 of the 3 items", run.Errors, StringComparison.Ordinal);
        Assert.Contains("Line 3 of", run.Errors, StringComparison.Ordinal);
        Assert.Contains("Line 4 of", run.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(In("out.jsonl")));
    }

    private async Task<List<string>> TextsAsync(string source)
    {
        var run = await LlavaProcess.RunAsync(In("data"), "annotate", source, "--max-new-tokens", "48");
        Assert.True(run.ExitCode == 0, run.Errors);
        return [.. run.Lines.Select(line => Text(line, "text"))];
    }

    private string BatchLine(string name) => JsonSerializer.Serialize(new
    {
        custom_id = name,
        method = "POST",
        url = "/v1/chat/completions",
        body = new
        {
            model = "llava-scenes",
            messages = new[]
            {
                new
                {
                    role = "user",
                    content = new object[]
                    {
                        new { type = "text", text = "Describe this image." },
                        new { type = "image_url", image_url = new { url = $"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(Path.Combine(Images, $"{name}.png")))}" } },
                    },
                },
            },
        },
    });

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private static string Text(string line, string field)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty(field).GetString()!;
    }
}
