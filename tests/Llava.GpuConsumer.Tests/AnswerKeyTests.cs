using Llava.Contracts.Requests;
using Llava.GpuConsumer.Reuse;

namespace Llava.GpuConsumer.Tests;

public sealed class AnswerKeyTests
{
    private static readonly JobRequest Request = new() { Model = "m", Cache = true, Source = new() { Kind = SourceKind.Folder, Path = "p" } };

    [Fact]
    public void Everything_an_answer_depends_on_changes_its_key()
    {
        GenerationSettings settings = new();
        string[] keys =
        [
            Key(Request),
            Key(Request with { Model = "other" }),
            Key(Request with { Tenant = "other" }),
            Key(Request with { ConversationTemplate = "other" }),
            Key(Request with { ImageAspect = "pad" }),
            Key(Request with { ImageAspect = "square" }),
            Key(Request with { Generation = settings with { MaxNewTokens = 1 } }),
            Key(Request with { Generation = settings with { Temperature = 0.5, Seed = 1 } }),
            Key(Request with { Generation = settings with { Temperature = 0.5, Seed = 1 } }, item: 1),
            Key(Request with { Generation = settings with { TopP = 0.5 } }),
            Key(Request with { Generation = settings with { TopK = 5 } }),
            Key(Request with { Generation = settings with { RepetitionPenalty = 2 } }),
            Key(Request with { Generation = settings with { StopStrings = ["a", "b"] } }),
            Key(Request with { Generation = settings with { StopStrings = ["ab"] } }),
            Key(Request with { Generation = settings with { Regex = "a" } }),
            Key(Request with { Generation = settings with { Regex = "b" } }),
            Key(Request with { Generation = settings with { Choices = ["a", "b"] } }),
            Key(Request with { Generation = settings with { Choices = ["b", "a"] } }),
            Key(Request with { Generation = settings with { JsonSchema = System.Text.Json.JsonElement.Parse("{}") } }),
            Key(Request with { Generation = settings with { JsonSchema = System.Text.Json.JsonElement.Parse("""{"type":"null"}""") } }),
            Key(Request, revision: "2"),
            Key(Request, prompt: "Why?"),
            Key(Request, images: ["a", "b"]),
            Key(Request, images: ["b", "a"]),
            Key(Request, images: ["ab"]),
            Key(Request with { Cache = false }),
            Key(Request with { Cache = false }, job: 2),
        ];

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Equal(64, key.Length));
    }

    [Fact]
    public void What_an_answer_does_not_depend_on_leaves_its_key_alone()
    {
        string[] keys =
        [
            Key(Request),
            Key(Request with { Priority = 5, ChunkItems = 1, Strict = true, IdempotencyKey = "k", Deduplicate = true, Source = Request.Source with { Path = "q" } }),
            Key(Request with { Generation = new() { Seed = 9 } }), // nothing is drawn
            Key(Request, item: 7),
            Key(Request, job: 2),
        ];

        Assert.Single(keys.Distinct());
        Assert.Equal(Key(Request with { Cache = false, Generation = new() { Temperature = 1, Seed = 3 } }), Key(Request with { Cache = false, Generation = new() { Temperature = 1, Seed = 3 } }, item: 5));
    }

    private static string Key(JobRequest request, long job = 1, int item = 0, string revision = "1", string prompt = "What?", string[]? images = null) =>
        AnswerKey.Of(new(job), item, request, revision, prompt, images ?? ["a"]).Hash();
}
