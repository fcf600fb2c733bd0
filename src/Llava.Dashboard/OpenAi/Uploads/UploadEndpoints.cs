using Llava.Dashboard.Api;
using Llava.Dashboard.OpenAi.Files;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.OpenAi.Uploads;

/// <summary><c>/uploads</c>: a large file in parts, several at a time, each of which may be sent again by itself.</summary>
internal static class UploadEndpoints
{
    public static void MapUploads(this RouteGroupBuilder api, FileStoreOptions options)
    {
        api.MapPost("/uploads", CreateAsync).RequireRole(AccessRole.Operator).WithSummary("Begins a file that is sent in parts").Takes<UploadRequest>().Produces<UploadObject>();
        api.MapPost("/uploads/{upload}/parts", AddPartAsync).RequireRole(AccessRole.Operator).WithMetadata(new RequestSizeLimitAttribute(options.MaxPartBytes + FileForm.FieldBytes))
            .WithSummary("Sends a part").TakesForm("data").Produces<PartObject>();
        api.MapPost("/uploads/{upload}/complete", CompleteAsync).RequireRole(AccessRole.Operator).WithSummary("Makes a file of the parts").Takes<CompletionRequest>().Produces<UploadObject>();
        api.MapPost("/uploads/{upload}/cancel", CancelAsync).RequireRole(AccessRole.Operator).WithSummary("Gives the parts up").Produces<UploadObject>();
    }

    private static async Task<IResult> CreateAsync(HttpRequest http, Caller caller, UploadStore uploads, OpenAiBody body, FileStoreOptions options, CancellationToken cancellation)
    {
        var request = await body.ReadAsync(http, UploadJson.Default.UploadRequest, cancellation);
        var purpose = FilePurposes.Sent(request.Purpose);
        var bytes = request.Bytes is >= 1 ? request.Bytes.Value : throw OpenAiException.Invalid("invalid_value", $"'bytes' is '{request.Bytes}'; give the length of the file, 1 or more.", "bytes");
        FileDescription file = new(FileForm.NameOf(request.Filename, "filename"), purpose, FileForm.LifetimeOf(purpose, request.ExpiresAfter, options));
        return Answer(await uploads.CreateAsync(caller.Tenant, file, bytes, cancellation));
    }

    private static async Task<IResult> AddPartAsync(HttpRequest http, Caller caller, UploadStore uploads, string upload, CancellationToken cancellation)
    {
        var found = await UploadAsync(caller, uploads, upload, cancellation);
        await foreach (var field in FormReader.ReadAsync(http, cancellation))
        {
            if (field.Name == "data")
            {
                var part = await KeepAsync(uploads, found, field, cancellation);
                return Results.Json(new PartObject(part.Id, part.Upload, part.CreatedAt.ToUnixTimeSeconds()), UploadJson.Default.PartObject);
            }
        }

        throw OpenAiException.Invalid("missing_required_parameter", "'data' is missing; send the part's bytes as that field of the form.", "data");
    }

    private static async Task<UploadPart> KeepAsync(UploadStore uploads, UploadRecord upload, FormField field, CancellationToken cancellation)
    {
        try
        {
            return await uploads.AddPartAsync(upload, field.Body, cancellation);
        }
        catch (Exception cut) when (FormReader.IsCut(cut) && !cancellation.IsCancellationRequested)
        {
            throw FormField.Broken(cut);
        }
    }

    private static async Task<IResult> CompleteAsync(HttpRequest http, Caller caller, UploadStore uploads, OpenAiBody body, string upload, CancellationToken cancellation)
    {
        var found = await UploadAsync(caller, uploads, upload, cancellation);
        var request = await body.ReadAsync(http, UploadJson.Default.CompletionRequest, cancellation);
        var parts = request.PartIds ?? throw OpenAiException.Invalid("missing_required_parameter", "'part_ids' is missing; give the ids of the parts in the order of the file.", "part_ids");
        var (completed, file) = await uploads.CompleteAsync(found, parts, request.Md5, cancellation);
        return Answer(completed, file);
    }

    private static async Task<IResult> CancelAsync(Caller caller, UploadStore uploads, string upload, CancellationToken cancellation) =>
        Answer(await uploads.CancelAsync(await UploadAsync(caller, uploads, upload, cancellation), cancellation));

    private static async Task<UploadRecord> UploadAsync(Caller caller, UploadStore uploads, string id, CancellationToken cancellation) =>
        await uploads.FindAsync(id, caller.Confinement, cancellation)
        ?? throw OpenAiException.NotFound("upload_not_found", $"There is no upload '{id}', or it expired a while ago; create another.", "upload_id");

    private static IResult Answer(UploadRecord upload, FileRecord? file = null) => Results.Json(UploadObject.Of(upload, file), UploadJson.Default.UploadObject);
}
