Feature: Klarna's journal tells a payment from its beginning to its end
  What a tester wants to see beside the duties, in the words of the journal.

  @AP-21
  Scenario: A payment whose time has run out
    Given a Partner with an order of 459.00 SEK
    And Klarna's clock stands still
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna's clock is set to 2040-01-01T00:00:00Z
    Then Klarna notifies the acquirer by webhook that the payment request is expired
    And Klarna's journal shows an entry of event:payment.request.state-change.expired with the header Klarna-Signature

  @AP-07 @AP-33 @AP-23
  Scenario: A payment that is approved
    Given a Partner with an order of 459.00 SEK
    And Klarna's clock stands still
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And Klarna's journal shows at least 2 entries of authorize
    And Klarna's journal shows an entry of authorize with the header Klarna-Idempotency-Key
    And Klarna's journal shows an entry of authorize with the header Klarna-Network-Session-Token
    And Klarna's journal shows an entry of authorize whose request has:
      """
      $[?@.amount == 45900]
      """
    And Klarna's journal shows an entry of authorize whose answer has:
      """
      $.payment_transaction_response.payment_transaction.payment_transaction_id
      """

  @AP-38 @AP-33 @timing.retry_within_ms
  Scenario: What befell a call, when, and what was found of it
    Given a Partner with an order of 459.00 SEK
    And Klarna's clock stands still
    And Klarna will meet the initial authorize with status 503
    When the Partner creates the payment
    And Klarna's clock is set to 2040-01-01T00:00:00Z
    And Klarna's clock runs again
    Then the acquirer repeats the initial authorize with the same key and body
    And Klarna's journal shows an entry with:
      """
      operation: authorize
      direction: inbound
      payment: this
      status: 503
      fault: status*
      until: 2040-01-01T00:00:00Z
      """
    And Klarna's journal shows an entry with:
      """
      operation: authorize
      payment: this
      status: 200
      ended: answered
      header: Klarna-Idempotency-Key
      response_json: $.payment_transaction_response.result
      """

  @AP-11 @AP-23 @network_data
  Scenario: What is not there, and what nothing is found of
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment, sharing Klarna Network Data
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And Klarna's journal shows an entry with:
      """
      operation: authorize
      payment: this
      request_json: $.step_up_config
      """
    And Klarna's journal shows no entry with:
      """
      payment: this
      finding: network-data.*
      """
    And Klarna's journal shows no entry with:
      """
      payment: this
      since: 2040-01-01T00:00:00Z
      """
