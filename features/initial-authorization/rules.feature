Feature: Klarna decides by the purchase
  Which customer and which order Klarna approves is its own affair; the acquirer follows.

  @AP-16 @AP-17
  Scenario Outline: A rule decides by what the acquirer sent: <amount>
    Given a Partner with an order of <amount>
    And Klarna decides by these rules:
      """
      rules:
        - name: small orders
          when: {body: {request_payment_transaction.amount: {max: 50000}}}
          then: {result: APPROVED}
        - name: all others
          then: {result: DECLINED, result_reason: too much}
      """
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is <outcome>

    Examples:
      | amount      | outcome  |
      | 459.00 SEK  | approved |
      | 9459.00 SEK | declined |

  @AP-38 @AP-33 @timing.retry_within_ms
  Scenario: A rule brings trouble, and the next call is served
    Given a Partner with an order of 459.00 SEK
    And Klarna decides by these rules:
      """
      rules:
        - name: down once
          times: 1
          then: {fault: {kind: status, status: 503}}
        - name: well again
          then: {result: APPROVED}
      """
    When the Partner creates the payment
    Then the acquirer repeats the initial authorize with the same key and body
    And the acquirer tells the Partner that the payment is approved

  @AP-16 @AP-17
  Scenario: A rule leaves it to chance, and the acquirer tells whatever Klarna drew
    Given a Partner with an order of 459.00 SEK
    And Klarna decides by these rules:
      """
      rules:
        - name: now so, now so
          one_of:
            - {weight: 3, then: {result: DECLINED, result_reason: by chance}}
            - {weight: 1, then: {result: DECLINED, result_reason: by less of a chance}}
      """
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is declined
    And the acquirer makes no second authorize
