using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Contracts.Requests;

/// <summary>Reads and writes a request with <see cref="RequestJson.Options"/> inside a document that has other options.</summary>
internal sealed class RequestConverter : JsonConverter<JobRequest>
{
    public override JobRequest? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize<JobRequest>(ref reader, RequestJson.Options);

    public override void Write(Utf8JsonWriter writer, JobRequest value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, RequestJson.Options);
}
