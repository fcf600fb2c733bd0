using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using OpenAI;
using OpenAI.Batch;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenAI.Files;
using OpenAI.FineTuning;
using OpenAI.Models;

namespace Llava.SdkTests;

/// <summary>The <c>OpenAI</c> package for .NET, as published, against a running server: the strictest reader of answers.</summary>
[Collection(nameof(ServerUnderTest))]
public sealed class DotNetClientTests(ServerUnderTest server)
{
    private const string Model = "llava-scenes";

    [Fact]
    public async Task Files_are_sent_listed_read_and_deleted()
    {
        var files = Client().GetOpenAIFileClient();
        OpenAIFile sent = await files.UploadFileAsync(BinaryData.FromString("{}\n"), "lines.jsonl", FileUploadPurpose.Batch);

        Assert.Equal(("lines.jsonl", FilePurpose.Batch, 3), (sent.Filename, sent.Purpose, (int)sent.SizeInBytes!));
        Assert.Contains((await files.GetFilesAsync()).Value, file => file.Id == sent.Id);
        Assert.Equal(sent.Id, (await files.GetFileAsync(sent.Id)).Value.Id);
        Assert.Equal("{}\n", (await files.DownloadFileAsync(sent.Id)).Value.ToString());
        Assert.True((await files.DeleteFileAsync(sent.Id)).Value.Deleted);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => files.GetFileAsync(sent.Id))).Status);
    }

    [Fact]
    public async Task A_batch_is_created_waited_for_and_found_in_the_list()
    {
        var files = Client().GetOpenAIFileClient();
        var batches = Client().GetBatchClient();
        var line = JsonSerializer.Serialize(new
        {
            custom_id = "one",
            method = "POST",
            url = "/v1/chat/completions",
            body = new { model = Model, temperature = 0, messages = new[] { new { role = "user", content = new object[] { new { type = "image_url", image_url = new { url = PictureUrl } }, new { type = "text", text = "Describe this image." } } } } },
        });
        OpenAIFile input = await files.UploadFileAsync(BinaryData.FromString(line), "lines.jsonl", FileUploadPurpose.Batch);
        var body = BinaryContent.Create(BinaryData.FromObjectAsJson(new { input_file_id = input.Id, endpoint = "/v1/chat/completions", completion_window = "24h" }));
        var operation = await batches.CreateBatchAsync(body, waitUntilCompleted: true);

        Assert.True(operation.HasCompleted);
        using var answer = JsonDocument.Parse((await operation.GetBatchAsync(null!)).GetRawResponse().Content);
        Assert.Equal("completed", answer.RootElement.GetProperty("status").GetString());
        BinaryData output = await files.DownloadFileAsync(answer.RootElement.GetProperty("output_file_id").GetString());
        Assert.Contains(ServerUnderTest.Words, output.ToString(), StringComparison.OrdinalIgnoreCase);
        List<string> listed = [];
        await foreach (var page in batches.GetBatchesAsync(null, 1, null!).GetRawPagesAsync())
        {
            using var list = JsonDocument.Parse(page.GetRawResponse().Content);
            listed.AddRange(list.RootElement.GetProperty("data").EnumerateArray().Select(batch => batch.GetProperty("id").GetString()!));
        }

        Assert.Contains(operation.BatchId, listed);
        Assert.Equal(listed.Distinct(), listed);
    }

    [Fact]
    public async Task A_chat_about_an_image_is_answered_at_once_and_as_a_stream()
    {
        var chats = Client().GetChatClient(Model);
        ChatMessage[] messages = [new UserChatMessage(ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(ServerUnderTest.Picture), "image/png"), ChatMessageContentPart.CreateTextPart("Describe this image."))];
        ChatCompletionOptions options = new() { Temperature = 0, IncludeLogProbabilities = true, TopLogProbabilityCount = 2 };
        ChatCompletion chat = await chats.CompleteChatAsync(messages, options);
        var streamed = "";
        await foreach (var update in chats.CompleteChatStreamingAsync(messages, options))
        {
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
        }

        Assert.Contains(ServerUnderTest.Words, chat.Content[0].Text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal((ChatFinishReason.Stop, ChatMessageRole.Assistant), (chat.FinishReason, chat.Role));
        Assert.NotEmpty(chat.ContentTokenLogProbabilities);
        Assert.Equal(chat.Content[0].Text, streamed);
    }

    [Fact]
    public async Task An_answer_has_the_form_of_a_schema()
    {
        var schema = BinaryData.FromString("""{"type":"object","properties":{"sure":{"type":"boolean"}},"required":["sure"],"additionalProperties":false}""");
        ChatCompletion chat = await Client().GetChatClient(Model).CompleteChatAsync(
            [new UserChatMessage(ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(ServerUnderTest.Picture), "image/png"), ChatMessageContentPart.CreateTextPart("Describe this image."))],
            new ChatCompletionOptions { Temperature = 0, ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("answer", schema, jsonSchemaIsStrict: true) });

        using var answer = JsonDocument.Parse(chat.Content[0].Text);
        Assert.Equal("sure", Assert.Single(answer.RootElement.EnumerateObject()).Name);
        Assert.Contains(answer.RootElement.GetProperty("sure").ValueKind, new[] { JsonValueKind.True, JsonValueKind.False });
        Assert.Equal(ChatFinishReason.Stop, chat.FinishReason);
    }

    [Fact]
    public async Task A_training_run_is_cancelled()
    {
        FineTuningOptions options = new() { TrainingMethod = FineTuningTrainingMethod.CreateSupervised(batchSize: 1, epochCount: 50) };
        var job = await Client().GetFineTuningClient().FineTuneAsync(Model, await SendRowsAsync(), waitUntilCompleted: false, options);
        await job.CancelAndUpdateAsync();

        Assert.Equal((FineTuningStatus.Cancelled, null), (job.Status, job.Value));
    }

    [Fact]
    public async Task Models_and_vectors_are_read()
    {
        Assert.Contains((await Client().GetOpenAIModelClient().GetModelsAsync()).Value, model => model.Id == Model);
        OpenAIEmbedding vector = await Client().GetEmbeddingClient(Model).GenerateEmbeddingAsync(PictureUrl);
        Assert.InRange(vector.ToFloats().ToArray().Sum(value => value * value), 0.99, 1.01);
    }

    [Fact]
    public async Task A_refusal_says_why()
    {
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => Client().GetChatClient("none").CompleteChatAsync("What?"));
        var unknown = await Assert.ThrowsAsync<ClientResultException>(() => Client("wrong").GetOpenAIModelClient().GetModelsAsync());

        Assert.Equal((404, 401), (refused.Status, unknown.Status));
        Assert.Contains("There is no model 'none'", refused.Message, StringComparison.Ordinal);
    }

    private static string PictureUrl => "data:image/png;base64," + Convert.ToBase64String(ServerUnderTest.Picture);

    private async Task<string> SendRowsAsync()
    {
        var row = JsonSerializer.Serialize(new
        {
            messages = new object[]
            {
                new { role = "user", content = new object[] { new { type = "image_url", image_url = new { url = PictureUrl } }, new { type = "text", text = "Describe this image." } } },
                new { role = "assistant", content = ServerUnderTest.Words },
            },
        });
        OpenAIFile sent = await Client().GetOpenAIFileClient().UploadFileAsync(BinaryData.FromString(string.Join('\n', Enumerable.Repeat(row, 10))), "rows.jsonl", FileUploadPurpose.FineTune);
        return sent.Id;
    }

    private OpenAIClient Client(string? key = null) =>
        new(new ApiKeyCredential(key ?? server.Key), new OpenAIClientOptions { Endpoint = new(server.Address + "/v1"), RetryPolicy = new ClientRetryPolicy(0) });
}
