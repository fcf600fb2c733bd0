using System.Globalization;
using Llava.Contracts.Interactive;
using Llava.Contracts.Requests;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenAi.Chat;
using Llava.Dashboard.OpenAi.Files;
using Llava.Ledger.Batches;
using Llava.Ledger.Files;
using Llava.Ledger.Promotions;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.Batches;

/// <summary>Reads requests for batches and makes jobs of them. The lines are judged by whoever reads them all; here only the first model is looked for.</summary>
internal sealed class BatchRequests(OpenAiBody bodies, FileStore files, WorkerRegistry workers, TrainedModelOwners owners, PromotionStore promotions, ChatInputOptions chats)
{
    private const int MostLabels = 16;
    private const int MostFurtherModels = 100;
    private const int LongestKey = 64;
    private const int LongestValue = 512;

    /// <summary>The batch that is asked for, and its job.</summary>
    /// <exception cref="OpenAiException">It is wrong.</exception>
    public async Task<(BatchDescription Description, JobRequest Job)> ReadAsync(HttpRequest request, Caller caller, CancellationToken cancellation)
    {
        var body = await bodies.ReadAsync(request, BatchJson.Default.BatchBody, cancellation);
        var endpoint = EndpointOf(body.Endpoint);
        var window = body.CompletionWindow ?? throw Missing("completion_window");
        var time = WindowOf(window);
        RequireLabels(body.Metadata);
        var file = await caller.FileAsync(files, body.InputFileId ?? throw Missing("input_file_id"), cancellation);
        if (file.Purpose != FilePurposes.Batch)
        {
            throw OpenAiException.Invalid("invalid_value", $"File '{file.Id}' was sent for '{file.Purpose}'; send the lines of a batch with the purpose '{FilePurposes.Batch}'.", "input_file_id");
        }

        BatchDescription description = new(file.Id, endpoint, window) { Metadata = body.Metadata, OutputLifetime = body.OutputExpiresAfter?.Lifetime() };
        var named = await FirstModelAsync(file, cancellation);
        var model = await promotions.TargetAsync(file.Tenant, named, cancellation) ?? named;
        var models = await ModelsAsync(model, file.Tenant, cancellation);
        return (description, new()
        {
            Model = models[0],
            Generation = new() { MaxNewTokens = chats.DefaultMaxTokens, Temperature = new ChatSettings().Temperature },
            Source = new() { Kind = SourceKind.OpenAiBatch, Path = SourceDescription.FileId + file.Id, Endpoint = endpoint, Models = models[1..], ModelAlias = named == model ? null : named },
            Strict = IsStrict(body.Validation),
            // An administrator sees all files; the batch works on this one, so it is its tenant's.
            Tenant = file.Tenant,
            Priority = body.Priority ?? 0,
            CompletionWindow = time,
        });
    }

    private static OpenAiException Missing(string field) => OpenAiException.Invalid("missing_required_parameter", $"'{field}' is missing.", field);

    private static string EndpointOf(string? endpoint)
    {
        var normal = BatchEndpoints.Normal(endpoint ?? throw Missing("endpoint"));
        return BatchEndpoints.All.Contains(normal)
            ? normal
            : throw OpenAiException.Invalid("unsupported_endpoint", $"'endpoint' is '{endpoint}', which batches do not answer; give one of {string.Join(", ", BatchEndpoints.All)}.", "endpoint");
    }

    /// <summary>A number of minutes, hours or days; null for none. OpenAI has 24h only.</summary>
    private static TimeSpan? WindowOf(string window)
    {
        if (window == "none")
        {
            return null;
        }

        var isNumber = int.TryParse(window.AsSpan(0, Math.Max(0, window.Length - 1)), NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        return !isNumber || number is < 1 or > 3650 ? throw Wrong() : window[^1] switch
        {
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' => TimeSpan.FromDays(number),
            _ => throw Wrong(),
        };

        OpenAiException Wrong() => OpenAiException.Invalid("invalid_value", $"'completion_window' is '{window}'; give 24h, another number with m, h or d behind it, or none.", "completion_window");
    }

    private static bool IsStrict(string? validation) => validation switch
    {
        null or "strict" => true,
        "lenient" => false,
        _ => throw OpenAiException.Invalid("invalid_value", $"'validation' is '{validation}'; give strict or lenient.", "validation"),
    };

    private static void RequireLabels(IReadOnlyDictionary<string, string>? labels)
    {
        if (labels?.Count > MostLabels || labels?.Any(label => label.Key.Length > LongestKey || label.Value is null || label.Value.Length > LongestValue) == true)
        {
            throw OpenAiException.Invalid("invalid_value", $"'metadata' has too many or too long labels; give at most {MostLabels}, with keys of {LongestKey} and values of {LongestValue} letters.", "metadata");
        }
    }

    private async Task<string> FirstModelAsync(FileRecord file, CancellationToken cancellation)
    {
        await using var content = files.Open(file);
        return await FirstModel.FindAsync(content, cancellation) ?? FirstModel.Unknown;
    }

    /// <summary>
    /// The model, as jobs name it, and then those that other lines may ask: all that are served to the tenant. A name that nobody serves is kept
    /// where nobody serves anything: somebody may come.
    /// </summary>
    private async Task<List<string>> ModelsAsync(string model, string tenant, CancellationToken cancellation)
    {
        var served = (await workers.LiveAsync(cancellation)).SelectMany(worker => worker.Models).Select(one => one.Name).Distinct().ToList();
        var usable = await owners.UsableAsync(tenant, served, cancellation);
        var first = usable.FirstOrDefault(name => name == model) ?? usable.FirstOrDefault(name => Path.GetFileName(name) == model);
        if (first is null && model != FirstModel.Unknown && (served.Count > 0 || !await owners.MayUseAsync(tenant, model, cancellation)))
        {
            throw new OpenAiException(
                StatusCodes.Status404NotFound, OpenAiErrors.InvalidRequest, "model_not_found", "model", $"There is no model '{model}' here, which the file's first line asks for; GET /v1/models lists those there are.");
        }

        first ??= model;
        return [first, .. usable.Where(name => name != first).Take(MostFurtherModels)];
    }
}
