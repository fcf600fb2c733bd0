using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Llava.Hosting.Telemetry;

/// <summary>Logs for whatever collects them.</summary>
public static class LogScopes
{
    /// <summary>One JSON object a line, with event id, the scopes (job, chunk), and trace and span ids where a trace is made.</summary>
    public static ILoggingBuilder AddLlavaJson(this ILoggingBuilder logging)
    {
        logging.Services.Configure<LoggerFactoryOptions>(options => options.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        return logging.AddJsonConsole(options => (options.UseUtcTimestamp, options.IncludeScopes) = (true, true));
    }
}
