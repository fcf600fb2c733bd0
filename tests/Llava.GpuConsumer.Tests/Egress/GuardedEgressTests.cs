using System.Diagnostics;
using System.Net;
using Llava.Hosting.Egress;
using Microsoft.AspNetCore.Http;

namespace Llava.GpuConsumer.Tests.Egress;

public sealed class GuardedEgressTests : IAsyncLifetime
{
    private ImageServer? _server;
    private Func<HttpContext, Task> _answer = context => ImageServer.SendAsync(context, ImageServer.Image);
    private IPAddress[] _addresses = [IPAddress.Loopback];

    public async Task InitializeAsync() => _server = await ImageServer.StartAsync(context => _answer(context));

    public async Task DisposeAsync() => await _server!.DisposeAsync();

    [Fact]
    public async Task An_image_of_an_allowed_network_is_fetched_byte_for_byte()
    {
        string? agent = null, cookie = null;
        _answer = context =>
        {
            (agent, cookie) = (context.Request.Headers.UserAgent, context.Request.Headers.Cookie);
            context.Response.Cookies.Append("spy", "1");
            return ImageServer.SendAsync(context, ImageServer.Image);
        };

        using var egress = Egress();
        await egress.FetchAsync(_server!.Url("/a.png"), default);

        Assert.Equal(ImageServer.Image, await egress.FetchAsync(_server.Url("/a.png"), default));
        Assert.Contains("Llava.Batch", agent, StringComparison.Ordinal);
        Assert.True(string.IsNullOrEmpty(cookie), "A cookie was kept.");
    }

    [Fact]
    public async Task Nothing_is_fetched_until_it_is_enabled()
    {
        var failure = await RefusedAsync(_server!.Url("/a.png"), options => options.Enabled = false);

        Assert.Contains("Llava:Egress:Enabled", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, _server.Requests);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0x7f.1")]
    [InlineData("017700000001")]
    [InlineData("localhost")]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("192.0.2.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("[::1]")]
    [InlineData("[::]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("[::ffff:a00:1]")]
    [InlineData("[::127.0.0.1]")]
    [InlineData("[fe80::1]")]
    [InlineData("[fc00::1]")]
    [InlineData("[ff02::1]")]
    [InlineData("[64:ff9b::7f00:1]")]
    [InlineData("[64:ff9b:1::1]")]
    [InlineData("[2002:7f00:1::]")]
    [InlineData("[2001::1]")]
    [InlineData("[2001:db8::1]")]
    public async Task No_spelling_of_an_inner_address_is_connected_to(string host)
    {
        using var egress = new GuardedEgress(new() { Enabled = true, Ports = [_server!.Port] }, TimeProvider.System);

        var failure = await Assert.ThrowsAsync<EgressException>(() => egress.FetchAsync(_server.Url("/a.png", host), default));

        Assert.Equal("url_refused", failure.Code);
        Assert.Equal(0, _server.Requests);
    }

    [Theory]
    [InlineData("LOCALHOST.")]
    [InlineData("１２７.0.0.1")]
    public async Task Names_that_only_some_systems_know_lead_inside_nowhere(string host)
    {
        using var egress = new GuardedEgress(new() { Enabled = true, Ports = [_server!.Port] }, TimeProvider.System);

        var failure = await Assert.ThrowsAsync<EgressException>(() => egress.FetchAsync(_server.Url("/a.png", host), default));

        Assert.Contains(failure.Code, (string[])["url_refused", "url_not_found"]);
        Assert.Equal(0, _server.Requests);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://images.test/a.png")]
    [InlineData("gopher://images.test/")]
    [InlineData("http://127.0.0.1%00.example/")]
    [InlineData("http://user@images.test/a.png")]
    [InlineData("http://user:secret@images.test/a.png")]
    [InlineData("http://images.test:22/a.png")]
    [InlineData("//images.test/a.png")]
    [InlineData("a.png")]
    public async Task What_is_no_plain_web_address_is_refused(string url) => await RefusedAsync(url);

    [Fact]
    public async Task A_name_that_leads_inside_is_refused_even_where_it_also_leads_outside()
    {
        _addresses = [IPAddress.Parse("93.184.216.34"), IPAddress.Loopback];
        using var egress = new GuardedEgress(new() { Enabled = true, Ports = [_server!.Port] }, TimeProvider.System, (_, _) => Task.FromResult(_addresses));

        var failure = await Assert.ThrowsAsync<EgressException>(() => egress.FetchAsync(_server.Url("/a.png"), default));

        Assert.Equal(("url_refused", 0), (failure.Code, _server.Requests));
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[::1]/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://user:secret@images.test/")]
    [InlineData("http://denied.test/")]
    public async Task A_redirect_is_checked_like_the_first_address(string target)
    {
        _answer = context =>
        {
            context.Response.Redirect(target);
            return Task.CompletedTask;
        };

        await RefusedAsync(_server!.Url("/a.png"), options =>
        {
            options.DeniedHosts = ["denied.test"];
            options.Ports = [_server.Port, 80];
        });

        Assert.Equal(1, _server.Requests);
    }

    [Fact]
    public async Task A_few_redirects_are_followed_and_an_endless_ring_is_not()
    {
        _answer = context =>
        {
            var left = int.Parse(context.Request.Path.Value![1..], null);
            if (left == 0)
            {
                return ImageServer.SendAsync(context, ImageServer.Image);
            }

            context.Response.Redirect($"/{left - 1}");
            return Task.CompletedTask;
        };
        using var egress = Egress();

        Assert.Equal(ImageServer.Image, await egress.FetchAsync(_server!.Url("/5"), default));
        Assert.Equal("url_too_many_redirects", (await Assert.ThrowsAsync<EgressException>(() => egress.FetchAsync(_server.Url("/6"), default))).Code);
    }

    [Theory]
    [InlineData(404, "url_not_found")]
    [InlineData(410, "url_not_found")]
    [InlineData(403, "url_forbidden")]
    [InlineData(418, "url_unavailable")]
    public async Task A_refusal_of_the_server_is_not_tried_again(int status, string code)
    {
        _answer = context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };

        Assert.Equal(code, (await FailsAsync("/a.png")).Code);
        Assert.Equal(1, _server!.Requests);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_server_that_is_busy_for_a_while_is_asked_again(int status)
    {
        _answer = context =>
        {
            if (_server!.Requests > 2)
            {
                return ImageServer.SendAsync(context, ImageServer.Image);
            }

            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "0";
            return Task.CompletedTask;
        };
        using var egress = Egress();

        Assert.Equal(ImageServer.Image, await egress.FetchAsync(_server!.Url("/a.png"), default));
        Assert.Equal(3, _server.Requests);
    }

    [Fact]
    public async Task A_server_that_wants_too_long_a_pause_is_given_up()
    {
        _answer = context =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "3600";
            return Task.CompletedTask;
        };
        var clock = Stopwatch.StartNew();

        Assert.Equal("url_unavailable", (await FailsAsync("/a.png")).Code);
        Assert.Equal(1, _server!.Requests);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_without_end_is_cut_off_whether_it_says_its_length_or_not(bool saysLength)
    {
        _answer = async context =>
        {
            context.Response.ContentType = "image/png";
            context.Response.ContentLength = saysLength ? 1L << 40 : null;
            var block = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(block, context.RequestAborted);
            }
        };

        Assert.Equal("url_too_large", (await FailsAsync("/a.png", options => options.MaxBytes = 1 << 20)).Code);
    }

    [Fact]
    public async Task A_server_that_drips_runs_into_the_time_limit()
    {
        _answer = async context =>
        {
            context.Response.ContentType = "image/png";
            while (true)
            {
                await context.Response.Body.WriteAsync(new byte[1], context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(20, context.RequestAborted);
            }
        };

        var failure = await FailsAsync("/a.png", options =>
        {
            options.Timeout = TimeSpan.FromMilliseconds(300);
            options.Retries = 1;
        });

        Assert.Equal(("url_timeout", 2), (failure.Code, _server!.Requests));
    }

    [Fact]
    public async Task What_is_compressed_unasked_is_never_unpacked()
    {
        _answer = context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            return ImageServer.SendAsync(context, ImageServer.Image);
        };

        Assert.Equal("url_not_an_image", (await FailsAsync("/a.png")).Code);
    }

    [Fact]
    public async Task A_page_instead_of_an_image_is_refused_by_its_type()
    {
        _answer = context => ImageServer.SendAsync(context, "<html>"u8.ToArray(), "text/html; charset=utf-8");

        Assert.Equal("url_not_an_image", (await FailsAsync("/a.png")).Code);
    }

    [Theory]
    [InlineData("images.test", true)]
    [InlineData("a.images.test", true)]
    [InlineData("other.test", false)]
    [InlineData("notimages.test", false)]
    [InlineData("evil.images.test", false)]
    [InlineData("xn--bcher-kva.test", true)]
    [InlineData("bücher.test", true)]
    public async Task Hosts_are_allowed_and_denied_by_name(string host, bool isAllowed)
    {
        using var egress = Egress(options =>
        {
            options.AllowedHosts = ["images.test", "*.images.test", "xn--bcher-kva.test"];
            options.DeniedHosts = ["evil.images.test"];
        });
        var fetch = egress.FetchAsync(_server!.Url("/a.png", host), default);

        if (isAllowed)
        {
            Assert.Equal(ImageServer.Image, await fetch);
        }
        else
        {
            Assert.Equal("url_refused", (await Assert.ThrowsAsync<EgressException>(() => fetch)).Code);
        }
    }

    [Fact]
    public async Task A_host_gets_no_more_requests_at_a_time_than_is_its_share()
    {
        var (running, most) = (0, 0);
        _answer = async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Delay(20);
            Interlocked.Decrement(ref running);
            await ImageServer.SendAsync(context, ImageServer.Image);
        };
        using var egress = Egress(options => options.ConcurrencyPerHost = 3);

        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => egress.FetchAsync(_server!.Url($"/{i}"), default)));

        Assert.InRange(most, 2, 3);
    }

    private GuardedEgress Egress(Action<EgressOptions>? configure = null)
    {
        EgressOptions options = new() { Enabled = true, Ports = [_server!.Port], PrivateNetworks = ["127.0.0.0/8"], FirstPause = TimeSpan.FromMilliseconds(1) };
        configure?.Invoke(options);
        return new(options, TimeProvider.System, (_, _) => Task.FromResult(_addresses));
    }

    private async Task<EgressException> FailsAsync(string path, Action<EgressOptions>? configure = null)
    {
        using var egress = Egress(configure);
        return await Assert.ThrowsAsync<EgressException>(() => egress.FetchAsync(_server!.Url(path), default));
    }

    private async Task<EgressException> RefusedAsync(string url, Action<EgressOptions>? configure = null)
    {
        using var egress = Egress(configure);
        var failure = await Assert.ThrowsAsync<EgressException>(() => egress.FetchAsync(url, default));
        Assert.Equal("url_refused", failure.Code);
        return failure;
    }
}
