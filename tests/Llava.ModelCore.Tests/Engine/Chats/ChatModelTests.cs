using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Chats;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Engine.Chats;

/// <summary>Conversations with the model that ships.</summary>
public sealed class ChatModelTests : IAsyncLifetime
{
    private static readonly Scene Drawn = Scene.FromSeed(Scene.FirstHeldOutSeed + 3, maxObjects: 3);
    private static readonly byte[] Picture = ScenePixels.Png(Drawn, 160);

    private readonly LoadedModel _model = LoadedModel.Load(Repository.Path("models", "llava-scenes"), new EngineOptions { KvCacheBytes = 64 << 20, MaxSlots = 4 });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _model.DisposeAsync();

    [Fact]
    public async Task The_streamed_parts_together_are_the_text_that_comes_at_once()
    {
        foreach (var question in new[] { "Describe this image.", "How many objects are there?", "What is this?" })
        {
            var whole = await _model.AnswerAsync(new Question { Text = question, Images = [Picture], Sampling = new() { MaxNewTokens = 48 } });
            var parts = await RunAsync(Asking(question) with { Sampling = new() { MaxNewTokens = 48 } });

            Assert.Equal(whole.Text, Text(parts));
            Assert.All(parts, part => Assert.Empty(part.Tokens));
            Assert.Equal(whole.Sequence.Tokens, parts[^1].Result!.Tokens);
        }

        Assert.True((await RunAsync(Asking("Describe this image."))).Count > 3);
    }

    [Fact]
    public async Task No_part_of_a_stop_string_is_shown_however_it_is_cut_into_tokens()
    {
        var whole = Text(await RunAsync(Asking("Describe this image.")));
        for (var start = 1; start < Math.Min(whole.Length - 4, 12); start++)
        {
            var stop = whole.Substring(start, 4);
            var parts = await RunAsync(Asking("Describe this image.") with { StopStrings = [stop] });

            Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)].TrimEnd(), Text(parts));
            Assert.Equal(FinishReason.Stop, parts[^1].Result!.Reason);
        }
    }

    [Fact]
    public async Task Tokens_that_are_shown_spell_the_text()
    {
        var parts = await RunAsync(Asking("Describe this image.") with { ReportsTokens = true, Sampling = new() { TopLogProbabilities = 2 } });
        var tokens = parts.SelectMany(part => part.Tokens).ToList();

        Assert.Equal(Text(parts), System.Text.Encoding.UTF8.GetString([.. tokens.SelectMany(token => token.Token.Bytes)]).Trim());
        Assert.All(tokens, token => Assert.Equal(2, token.Likeliest.Count));
        // Greedy: the chosen one is the likeliest.
        Assert.All(tokens, token => Assert.Equal(token.Token.LogProbability, token.Likeliest[0].LogProbability));
    }

    [Fact]
    public async Task Several_answers_read_the_prompt_once()
    {
        var chat = Asking("Describe this image.") with { Choices = 3, Sampling = new() { MaxNewTokens = 24, Temperature = 1.2, Seed = 5 } };
        var parts = await RunAsync(chat);
        var results = parts.Select(part => part.Result).OfType<SequenceResult>().ToList();

        Assert.Equal([0, 1, 2], parts.Where(part => part.Result is not null).Select(part => part.Choice).Order());
        Assert.Equal(_model.Chat.Prepare(chat).PromptTokens - 1, results.Max(result => result.Usage.CachedTokens));
        Assert.Equal(2, results.Count(result => result.Usage.CachedTokens > 0));
        Assert.Equal([5, 6, 7], results.Select(result => result.Seed).Order());
        Assert.Equal(Text(parts, 1), Text(await RunAsync(chat with { Choices = 1, Sampling = chat.Sampling with { Seed = 6 } })));
    }

    [Fact]
    public async Task A_text_prompt_is_shared_by_its_answers_too()
    {
        var parts = await RunAsync(new() { Turns = [new(Speaker.User, "What is this?", [])], Choices = 2, Sampling = new() { MaxNewTokens = 4 } });

        Assert.Equal(1, parts.Count(part => part.Result is { Usage: { CachedTokens: var cached, PromptTokens: var prompt } } && cached == prompt - 1));
    }

    [Fact]
    public async Task Images_are_counted_and_may_stand_in_any_turn_of_the_user()
    {
        var one = _model.Chat.Prepare(Asking("What is this?"));
        var two = _model.Chat.Prepare(new()
        {
            Turns = [new(Speaker.User, "What is this?", [Picture]), new(Speaker.Assistant, "A circle.", []), new(Speaker.User, "And this?", [Picture])],
        });

        Assert.True(one.ImageTokens > 0);
        Assert.Equal(2 * one.ImageTokens, two.ImageTokens);
        Assert.True(two.PromptTokens > one.PromptTokens + one.ImageTokens);
        Assert.NotEmpty(await RunAsync(new() { Turns = [new(Speaker.User, "What is this?", [Picture]), new(Speaker.User, "Describe this image.", [])] }));
    }

    [Theory]
    [InlineData("<image> <image>")]
    [InlineData("what does <image> mean")]
    [InlineData("what does <ima<image>ge> mean")]
    public void The_word_for_an_image_means_nothing_where_there_are_not_as_many_images(string text)
    {
        var images = text.Contains("what", StringComparison.Ordinal) ? Array.Empty<byte[]>() : [Picture];
        Assert.Equal(images.Length > 0, _model.Chat.Prepare(new() { Turns = [new(Speaker.User, text, images)], System = "<image>" }).ImageTokens > 0);
    }

    [Fact]
    public void A_conversation_without_a_last_turn_of_the_user_is_refused() => Assert.Contains("end with a turn of the user", Assert.Throws<PromptException>(
        () => _model.Chat.Prepare(new() { Turns = [new(Speaker.User, "Hi", []), new(Speaker.Assistant, "Hello", [])] })).Message, StringComparison.Ordinal);

    [Fact]
    public void A_system_text_takes_the_place_of_the_templates_own()
    {
        var plain = _model.Chat.Prepare(new() { Turns = [new(Speaker.User, "Hi", [])] }).PromptTokens;

        Assert.True(_model.Chat.Prepare(new() { Turns = [new(Speaker.User, "Hi", [])], System = "" }).PromptTokens < plain);
        Assert.True(_model.Chat.Prepare(new() { Turns = [new(Speaker.User, "Hi", [])], System = string.Join(' ', Enumerable.Repeat("circle", 100)) }).PromptTokens > plain);
    }

    [Fact]
    public async Task Whoever_stops_reading_frees_the_slots()
    {
        var chat = Asking("Describe this image.") with { Choices = 2, IgnoresEnd = true, Sampling = new() { MaxNewTokens = 400 } };
        // Another sequence of the batch sets the pace: however late this test reads, the answers are far from their end.
        PacedSteps steps = new();
        var pacer = _model.Engine.Submit(_model.Chat.Prepare(chat).Request with { StopCondition = steps });
        await using (var run = _model.Chat.Submit(_model.Chat.Prepare(chat)))
        {
            steps.Allow(50);
            await foreach (var part in run.ReadAsync())
            {
                Assert.Null(part.Result);
                Assert.Equal(3, _model.Statistics.Running + _model.Statistics.Waiting);
                break;
            }

            steps.Allow(50);
        }

        Assert.Equal((1, 0), (_model.Statistics.Running, _model.Statistics.Waiting));
        pacer.Cancel();
        steps.Allow(1000);
        await pacer.Completion;
    }

    [Fact]
    public async Task An_embedding_tells_images_apart_and_has_length_one()
    {
        var (first, again) = (await _model.EmbedAsync(Picture), await _model.EmbedAsync(Picture));
        var other = await _model.EmbedAsync(ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed + 4, maxObjects: 3), 160));

        Assert.Equal(first, again);
        Assert.Equal(1, first.Sum(value => value * value), 5);
        Assert.True(first.Zip(other, (a, b) => a * b).Sum() < 0.9999);
    }

    private static ChatPrompt Asking(string question) => new() { Turns = [new(Speaker.User, question, [Picture])], Sampling = new() { MaxNewTokens = 48 } };

    private static string Text(IEnumerable<ChatPart> parts, int choice = 0) => string.Concat(parts.Where(part => part.Choice == choice).Select(part => part.Text));

    private async Task<List<ChatPart>> RunAsync(ChatPrompt chat)
    {
        List<ChatPart> parts = [];
        await using var run = _model.Chat.Submit(_model.Chat.Prepare(chat));
        await foreach (var part in run.ReadAsync())
        {
            parts.Add(part);
        }

        return parts;
    }

    /// <summary>Lets a sequence, and with it its batch, take no more steps than a test allows.</summary>
    private sealed class PacedSteps : IStopCondition
    {
        private readonly SemaphoreSlim _steps = new(0);

        public void Allow(int steps) => _steps.Release(steps);

        // A test that has failed allows none: the sequence ends then, and the model can be disposed.
        public bool ShouldStop(int token) => !_steps.Wait(TimeSpan.FromSeconds(30));
    }
}
